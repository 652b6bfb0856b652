/** The plan of the authority: how even it is, its regions, and why it is as it is. */
import type { JournalItem, PlanRegion, PlanView } from '@leasehold/client';
import { counted, short, whole } from '../format.ts';
import {
  asleepCount,
  byLoad,
  changeText,
  imbalanceOf,
  percent,
  regionText,
  reliefText,
  shareOf,
} from '../plan-words.ts';
import {
  journal,
  type PlanSpot,
  pin,
  pinned,
  plan,
  pods,
  pointed,
  regionKey,
  welcome,
} from '../state.ts';
import { Badge } from './pods-table.tsx';

/** A longer list is no overview; `leasehold plan show --json` has all of it. */
const REGIONS_SHOWN_MAX = 100;
/** Those before them are folded. */
const ENTRIES_OPEN = 8;

export function PlanSection() {
  const now = plan.value;
  if (now === undefined) return null;
  if (now.version === 0) {
    return (
      <p class="hint no-plan" data-testid="no-plan">
        no plan: pods share the world by themselves
      </p>
    );
  }
  return (
    <section class="plan" aria-labelledby="plan-title" data-testid="plan">
      <h2 id="plan-title">Plan</h2>
      <Summary now={now} />
      <Regions now={now} />
      <Journal />
    </section>
  );
}

function Summary({ now }: { now: PlanView }) {
  const living = pods.value.filter(({ isGone, state }) => !isGone && state !== 'draining');
  const imbalance = imbalanceOf(
    now,
    living.map(({ pod }) => pod),
  );
  const asleep = asleepCount(now);
  return (
    <p class="hint">
      version <b data-testid="plan-version">{whole(now.version)}</b> · imbalance{' '}
      <b
        data-testid="imbalance"
        title="Tick time of the busiest pod by the mean of all: 1 is perfect"
      >
        {short(imbalance)}
      </b>
      {asleep > 0 && ` · ${counted(asleep, 'cell')} asleep`}
    </p>
  );
}

function Regions({ now }: { now: PlanView }) {
  const tickHz = welcome.value?.tickHz ?? 1;
  const sorted = byLoad(now.regions, tickHz);
  const more = now.regionCount - Math.min(sorted.length, REGIONS_SHOWN_MAX);
  return (
    <details class="regions">
      <summary>{counted(now.regionCount, 'region')}</summary>
      <ul>
        {sorted.slice(0, REGIONS_SHOWN_MAX).map((region) => (
          <RegionRow key={region.id} region={region} tickHz={tickHz} />
        ))}
      </ul>
      {more > 0 && <p class="hint">and {whole(more)} more</p>}
      <Edges now={now} />
    </details>
  );
}

function RegionRow({ region, tickHz }: { region: PlanRegion; tickHz: number }) {
  const { id, pod, tickMs } = region;
  const spot = { key: regionKey(id), regions: [id] };
  const relief = reliefText(region);
  return (
    <li>
      <button
        type="button"
        class="spot"
        aria-pressed={pinned.value?.key === spot.key}
        aria-describedby="region-edges"
        data-region={id}
        {...lights(spot)}
      >
        {pod === '' ? <span class="badge nobody">–</span> : <Badge pod={pod} />}
        <span>
          region {id} <small>{pod || 'nobody'}</small>
          {relief !== '' && <b class="relief">{relief}</b>}
        </span>
        <span class="load">
          {short(tickMs)} ms <small>{percent(shareOf(region, tickHz))}</small>
        </span>
      </button>
    </li>
  );
}

/** Beside the list, so that nothing in it moves while one points from row to row. */
function Edges({ now }: { now: PlanView }) {
  const key = (pointed.value ?? pinned.value)?.key;
  const region = now.regions.find(({ id }) => regionKey(id) === key);
  const tickHz = welcome.value?.tickHz ?? 1;
  return (
    <p id="region-edges" class="edges" data-testid="edges">
      {region === undefined
        ? 'Point at a region, or choose it: who is across its sides?'
        : regionText(region, tickHz)}
    </p>
  );
}

function Journal() {
  const entries = journal.value;
  const older = entries.slice(ENTRIES_OPEN);
  return (
    <>
      <h3 id="journal-title">Journal</h3>
      {entries.length === 0 && <p class="hint">Nothing has been decided yet.</p>}
      <div role="log" aria-live="off" aria-labelledby="journal-title" data-testid="journal">
        <ol>
          {entries.slice(0, ENTRIES_OPEN).map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </ol>
        {older.length > 0 && (
          <details>
            <summary>{whole(older.length)} older</summary>
            <ol>
              {older.map((entry) => (
                <Entry key={entry.id} entry={entry} />
              ))}
            </ol>
          </details>
        )}
      </div>
    </>
  );
}

function Entry({ entry }: { entry: JournalItem }) {
  const { id, atMs, kind, cause, regions, version } = entry;
  const spot = { key: id, regions };
  const at = new Date(atMs);
  const change = changeText(entry);
  return (
    <li data-kind={kind}>
      <button
        type="button"
        class="spot entry"
        aria-pressed={pinned.value?.key === id}
        {...lights(spot)}
      >
        <span class="kind">{kind}</span>
        <span>
          {cause}
          {change !== '' && <small>{change}</small>}
        </span>
        <time dateTime={at.toISOString()} title={`plan ${version}`}>
          {at.toTimeString().slice(0, 8)}
        </time>
      </button>
    </li>
  );
}

/** Pointing or coming to it with the keyboard lights its regions on the map; choosing it keeps them lit. */
function lights(spot: PlanSpot) {
  const point = () => {
    pointed.value = spot;
  };
  const leave = () => {
    if (pointed.value?.key === spot.key) pointed.value = undefined;
  };
  return {
    onPointerEnter: (event: PointerEvent) => {
      // A finger does not point: it chooses.
      if (event.pointerType !== 'touch') point();
    },
    onPointerLeave: leave,
    onFocus: (event: FocusEvent) => {
      if ((event.currentTarget as HTMLElement).matches(':focus-visible')) point();
    },
    onBlur: leave,
    onClick: () => pin(spot),
  };
}
