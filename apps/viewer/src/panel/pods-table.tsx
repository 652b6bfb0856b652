import { signal } from '@preact/signals';
import { short, whole } from '../format.ts';
import { cssColour, inkOn, podSign } from '../palette.ts';
import type { PodRow } from '../pod-rows.ts';
import { killPod } from '../requests.ts';
import { canKill, colours, notice, pods } from '../state.ts';

/** Pods whose death was asked for and has not been seen yet, by name and pid. */
const dying = signal<ReadonlySet<string>>(new Set());

/** Who holds the world. Killing one is the point of the page. */
export function PodsTable() {
  const mayKill = canKill.value;
  return (
    <section class="pods" aria-labelledby="pods-title">
      <h2 id="pods-title">Pods</h2>
      <p class="hint">
        {mayKill
          ? 'Each cell of the map is held by one pod. Kill one: others take its cells, nothing is lost.'
          : 'Each cell of the map is held by one pod. When one dies, others take its cells.'}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">pod</th>
            <th scope="col">cells</th>
            <th scope="col">entities</th>
            <th scope="col" title="milliseconds per tick: median and 99th percentile">
              tick ms
            </th>
            <th scope="col" class="commits">
              commits/s
            </th>
            {mayKill && (
              <th scope="col">
                <span class="hidden">kill</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {pods.value.map((row) => (
            <Row key={row.pod} row={row} mayKill={mayKill} />
          ))}
        </tbody>
      </table>
      {pods.value.length === 0 && <p class="hint">No pod is known yet.</p>}
    </section>
  );
}

function Row({ row, mayKill }: { row: PodRow; mayKill: boolean }) {
  const life = `${row.pod} ${row.pid}`;
  return (
    <tr class={row.isGone ? 'gone' : ''} data-pod={row.pod} data-state={row.state}>
      <th scope="row">
        <span class="pod">
          <Badge pod={row.pod} />
          <span>
            <span class="name">{row.pod}</span>
            <small>{row.isGone ? 'gone' : `pid ${row.pid || '–'}${stateText(row.state)}`}</small>
          </span>
        </span>
      </th>
      <td data-testid="cells">{whole(row.cells)}</td>
      <td>{whole(row.entities)}</td>
      <td>
        {short(row.tickMsP50)}
        <small class="p99">{short(row.tickMsP99)}</small>
      </td>
      <td class="commits">{whole(row.commitsPerS)}</td>
      {mayKill && (
        <td>
          <button
            type="button"
            class="kill"
            disabled={row.isGone || dying.value.has(life)}
            aria-label={`kill -9 ${row.pod}`}
            onClick={() => void kill(row.pod, life)}
          >
            kill -9
          </button>
        </td>
      )}
    </tr>
  );
}

export function Badge({ pod }: { pod: string }) {
  const colour = colours.of(pod);
  const style = { '--pod': cssColour(colour), '--ink': cssColour(inkOn(colour)) };
  return (
    <span class="badge" style={style} aria-hidden="true">
      {podSign(pod)}
    </span>
  );
}

const stateText = (state: string): string =>
  state === '' || state === 'ready' ? '' : ` · ${state}`;

async function kill(pod: string, life: string): Promise<void> {
  dying.value = new Set([...dying.value, life]);
  notice.value = await killPod(pod);
  // If it still lives by then, it may be tried again.
  setTimeout(() => {
    dying.value = new Set([...dying.value].filter((other) => other !== life));
  }, 4_000);
}
