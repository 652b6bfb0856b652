/** Connects the page to a gateway and keeps the signals of `state.ts` current. */
import { connect, type Holders, type PodStatus, type Status, type View } from '@leasehold/client';
import { Feed } from './feed.ts';
import { Rate, Tally } from './rates.ts';
import * as state from './state.ts';

/** How often figures are computed; numbers that change faster cannot be read. */
const FIGURES_MS = 500;
/** A pod that is gone and holds nothing is shown for this long. */
const GONE_SHOWN_MS = 15_000;

export function startLink(urls: readonly string[]): View {
  const view = connect({ url: urls });
  const figures = new Figures(view);
  const feed = new Feed();
  view.on('welcome', (welcome) => {
    state.welcome.value = welcome;
    document.title = `${welcome.world} · Leasehold`;
  });
  view.on('state', (now) => {
    if (now === 'open') state.link.value = { state: now, why: '' };
    else if (now !== state.link.value.state) state.link.value = { ...state.link.value, state: now };
  });
  view.on('close', ({ reason, willRetry }) => {
    const now = willRetry ? 'waiting' : 'closed';
    state.link.value = { state: now, why: reason };
  });
  view.on('error', ({ code, message, remedy }) => {
    state.link.value = { ...state.link.value, why: `${message} (${code}). ${remedy}` };
  });
  view.on('holders', (now) => {
    state.holders.value = now;
    figures.showPods();
  });
  view.on('status', (now) => {
    state.status.value = now;
    figures.note(now);
    figures.showPods();
    feed.seeLiving(living(now));
    state.feedLines.value = feed.lines;
  });
  view.on('feed', (items) => {
    feed.add(items);
    const { value: now } = state.status;
    if (now !== undefined) feed.seeLiving(living(now));
    state.feedLines.value = feed.lines;
  });
  view.status(true);
  setInterval(() => figures.show(), FIGURES_MS);
  return view;
}

function living({ pods }: Status): Set<string> {
  return new Set(pods.filter((pod) => pod.isConnected).map(({ pod }) => pod));
}

/** Turns counters that pods report into rates and totals. */
class Figures {
  readonly #view: View;
  readonly #ticks = new Rate();
  readonly #commits = new Map<string, Rate>();
  readonly #births = new Tally();
  readonly #deaths = new Tally();
  readonly #goneAtMs = new Map<string, number>();

  constructor(view: View) {
    this.#view = view;
  }

  note(status: Status): void {
    const nowMs = performance.now();
    for (const pod of status.pods) {
      const life = lifeOf(pod);
      this.#births.note(life, pod.report['births'] ?? 0);
      this.#deaths.note(life, pod.report['deaths'] ?? 0);
      const commits = this.#commits.get(life) ?? new Rate();
      this.#commits.set(life, commits);
      commits.add(nowMs, pod.report['commits'] ?? 0);
    }
    const lives = new Set(status.pods.map(lifeOf));
    for (const life of this.#commits.keys()) if (!lives.has(life)) this.#commits.delete(life);
  }

  show(): void {
    const { tick } = this.#view;
    if (tick > 0 && this.#view.state === 'open') this.#ticks.add(performance.now(), tick);
    state.figures.value = {
      tick,
      ticksPerS: this.#ticks.perSecond,
      entities: state.status.value?.entities,
      births: this.#births.total,
      deaths: this.#deaths.total,
    };
  }

  showPods(): void {
    const { value: holders } = state.holders;
    const known = new Map((state.status.value?.pods ?? []).map((pod) => [pod.pod, pod]));
    const cells = cellsByPod(holders);
    const names = [...new Set([...known.keys(), ...cells.keys()])].sort(byNumber);
    const nowMs = performance.now();
    const rows = names.flatMap((name) => {
      const pod = known.get(name);
      const held = cells.get(name) ?? 0;
      const isGone = pod === undefined || !pod.isConnected;
      if (!isGone) this.#goneAtMs.delete(name);
      else if (!this.#goneAtMs.has(name)) this.#goneAtMs.set(name, nowMs);
      const goneForMs = isGone ? nowMs - this.#goneAtMs.get(name)! : 0;
      if (held === 0 && goneForMs > GONE_SHOWN_MS) return [];
      return [this.#row(name, pod, held, isGone)];
    });
    state.colours.update(rows.map(({ pod }) => pod));
    state.pods.value = rows;
  }

  #row(name: string, pod: PodStatus | undefined, cells: number, isGone: boolean): state.PodRow {
    return {
      pod: name,
      pid: pod?.pid ?? 0,
      state: isGone ? 'gone' : (pod?.state ?? ''),
      isGone,
      cells,
      entities: isGone ? 0 : (pod?.report['entities'] ?? 0),
      tickMsP50: isGone ? undefined : pod?.report['tickMsP50'],
      tickMsP99: isGone ? undefined : pod?.report['tickMsP99'],
      commitsPerS:
        pod === undefined || isGone ? undefined : this.#commits.get(lifeOf(pod))?.perSecond,
    };
  }
}

/** A pod that starts again under the same name counts from zero. */
const lifeOf = ({ pod, pid }: PodStatus): string => `${pod} ${pid}`;

const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

function cellsByPod(holders: Holders | undefined): Map<string, number> {
  const cells = new Map<string, number>();
  if (holders === undefined) return cells;
  const counts = new Uint32Array(holders.pods.length + 1);
  for (const holder of holders.cells) counts[holder]!++;
  for (const [i, pod] of holders.pods.entries()) {
    if (counts[i + 1]! > 0) cells.set(pod, counts[i + 1]!);
  }
  return cells;
}
