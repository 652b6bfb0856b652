import { whole } from '../format.ts';
import { dividerAfter, momentOf, timeText, within } from '../moments.ts';
import { goTo, toggleComparing } from '../past.ts';
import { asOf, divider, isComparing, pastSnapshot, snapshots } from '../state.ts';

/** A slider over the snapshots, whose end is now; nothing where there are none. */
export function TimeBar() {
  const { value: list } = snapshots;
  if (list.length === 0) return null;
  const { value: snapshot } = pastSnapshot;
  const text = snapshot === undefined ? 'now' : timeText(snapshot);
  return (
    <section class="time" aria-label="Time" data-testid="time">
      <label for="time-slider" data-testid="time-text">
        {text}
      </label>
      <div class="time-controls">
        <input
          id="time-slider"
          type="range"
          min={0}
          max={list.length}
          step={1}
          value={momentOf(list, asOf.value)}
          aria-label="Snapshot that the map shows"
          aria-valuetext={text}
          onInput={(event) => goTo(Number(event.currentTarget.value))}
        />
        <button
          type="button"
          class="toggle"
          aria-pressed={isComparing.value}
          disabled={snapshot === undefined}
          onClick={toggleComparing}
        >
          compare
        </button>
        <button
          type="button"
          class="toggle"
          disabled={snapshot === undefined}
          onClick={() => goTo(list.length)}
        >
          now
        </button>
      </div>
    </section>
  );
}

/** Says in words which side of the map is the past; the divider between them moves. */
export function PastMark() {
  const { value: snapshot } = pastSnapshot;
  if (snapshot === undefined) return null;
  return (
    <>
      <p class="past-mark" data-testid="past-mark">
        Past: {snapshot.id} · {whole(snapshot.entities)} entities
      </p>
      {isComparing.value && (
        <>
          <p class="now-mark" data-testid="now-mark">
            Now
          </p>
          <Divider />
        </>
      )}
    </>
  );
}

function Divider() {
  const percent = Math.round(divider.value * 100);
  return (
    <div
      class="divider"
      style={{ '--share': String(divider.value) }}
      role="slider"
      tabIndex={0}
      aria-label="Where the past ends and now begins"
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={`${percent} % of the map is the past`}
      data-testid="divider"
      onKeyDown={(event) => {
        const moved = dividerAfter(event.key, divider.value);
        if (moved === undefined) return;
        event.preventDefault();
        divider.value = moved;
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const handle = event.currentTarget;
        const map = handle.parentElement?.getBoundingClientRect();
        if (map === undefined || !handle.hasPointerCapture(event.pointerId)) return;
        divider.value = within((event.clientX - map.left) / map.width);
      }}
    />
  );
}
