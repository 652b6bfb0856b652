/**
 * How long cells stand still when their pod goes: killed (SIGKILL of real processes, another started
 * half a second later), drained (SIGTERM), or because a pod has come and gets its share. A gap is
 * what a cell sees: from the kill, or from the last commit of the former holder, to the first tick
 * of the next. All of it is measured twice: in calm, when the next pod is started only when the cells
 * tick again and everybody waits until it has its share and follows its neighbours; and in a hurry,
 * while other processes start, of which each takes a core for half a second.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FeedEntry } from '@leasehold/protocol';
import type { Series } from './charts.ts';
import { type Benchmark, type Figure, type Measured, quantiles } from './figure.ts';
import { type BenchPod, openPods, type Pods } from './pods.ts';

const FLOCKING = fileURLToPath(new URL('../examples/flocking', import.meta.url));
const PODS = 4;
/** As `leasehold run` does it: a start would take its processors from the takeover. */
const REPLACE_MS = 500;
/** A pod ends the leases of the dead when it has been connected for two seconds. */
const SETTLE_MS = 2_600;
/** On a machine that has no time for it, nobody may hold anything for a while. */
const HOLDER_MS_MAX = 30_000;
const FULL = { kills: 100, drains: 20, calmDrains: 20, calmKills: 100, everyMs: 1_600 };
const QUICK = { kills: 1, drains: 1, calmDrains: 1, calmKills: 1, everyMs: 1_000 };
/** A pod that came has its share. */
const SHARED_MS = 1_200;
const SAY_EVERY = 10;

/** Starved: it lives, and had no time to keep its leases. */
type Going =
  | 'killed'
  | 'drained'
  | 'rebalanced'
  | 'calmKilled'
  | 'calmDrained'
  | 'calmCame'
  | 'starved';
type Extent = typeof FULL;
/** A gap of each cell, in ms. */
type Gaps = Readonly<Record<Going, number[]>>;

export const takeover: Benchmark = {
  tag: 'takeover',
  what: '2,000 birds in 64 cells at 20 Hz on 4 pods: 200 are killed, 40 are drained',
  async run(say, { isQuick }) {
    const pods = await openPods(FLOCKING);
    try {
      return await measure(pods, isQuick ? QUICK : FULL, { say, isQuick });
    } finally {
      await pods.close();
    }
  },
};

async function measure(
  pods: Pods,
  { kills, drains, calmDrains, calmKills, everyMs }: Extent,
  { say, isQuick }: { readonly say: (line: string) => void; readonly isQuick: boolean },
): Promise<Measured> {
  for (let i = 0; i < PODS; i++) pods.start(PODS);
  await pods.untilHeld(true);
  await pods.run();
  await sleep(SETTLE_MS);
  await pods.news();
  const went = new Map<string, { readonly how: Going; readonly atMs: number }>();
  const gaps: Gaps = {
    ...{ killed: [], drained: [], rebalanced: [] },
    ...{ calmKilled: [], calmDrained: [], calmCame: [], starved: [] },
  };
  let moved: Going = 'calmCame';
  const hear = async (): Promise<void> => {
    for (const entry of await pods.news()) note(entry, { went, moved }, gaps);
  };
  for (let i = 1; i <= calmDrains + calmKills; i++) {
    const how = i <= calmDrains ? 'calmDrained' : 'calmKilled';
    const pod = await oldest(pods);
    went.set(pod.name, { how, atMs: pods.store.nowMs() });
    await (how === 'calmKilled' ? kill(pods, pod) : drain(pods, pod));
    await sleep(everyMs);
    pods.start();
    await untilSettled(pods);
    await hear();
    if (i % SAY_EVERY === 0) say(`${i} of ${calmDrains + calmKills} pods have gone in calm`);
  }
  moved = 'rebalanced';
  for (let i = 1; i <= kills + drains; i++) {
    const how = i <= kills ? 'killed' : 'drained';
    const sinceMs = performance.now();
    const pod = await oldest(pods);
    went.set(pod.name, { how, atMs: pods.store.nowMs() });
    await (how === 'killed' ? kill(pods, pod) : drain(pods, pod));
    pods.start();
    await sleep(Math.max(0, everyMs - (performance.now() - sinceMs)));
    await hear();
    if (i % SAY_EVERY === 0) say(`${i} of ${kills + drains} pods are gone`);
  }
  const isHeard = (): boolean => gaps.killed.length > 0 && gaps.drained.length > 0;
  const deadlineMs = performance.now() + HOLDER_MS_MAX;
  do {
    await sleep(everyMs);
    await hear();
    if (performance.now() > deadlineMs) throw new Error('nobody took over');
  } while (!isHeard());
  return { figures: figuresOf(gaps, pods.tickHz, isQuick), charts: [chart(gaps)] };
}

/** Whoever came last has its share. */
async function untilSettled(pods: Pods): Promise<void> {
  const deadlineMs = performance.now() + HOLDER_MS_MAX;
  for (;;) {
    const records = await pods.records();
    const holders = records.filter(({ report }) => (report['cells'] ?? 0) > 0);
    if (holders.length === pods.alive.size) return sleep(SHARED_MS);
    if (performance.now() > deadlineMs) throw new Error('a pod that came gets nothing');
    await sleep(SETTLE_MS / 10);
  }
}

/** The one that has been there longest, and has cells. */
async function oldest(pods: Pods): Promise<BenchPod> {
  const deadlineMs = performance.now() + HOLDER_MS_MAX;
  for (;;) {
    const holders = (await pods.records()).filter(({ report }) => (report['cells'] ?? 0) > 0);
    const [first] = holders
      .map(({ pod }) => pods.alive.get(pod) as BenchPod)
      .sort((a, b) => a.startedMs - b.startedMs);
    if (first !== undefined) return first;
    if (performance.now() > deadlineMs) throw new Error('no pod holds anything');
    await sleep(SETTLE_MS / 10);
  }
}

async function kill(pods: Pods, { name, child }: BenchPod): Promise<void> {
  child.signal('SIGKILL');
  pods.alive.delete(name);
  await sleep(REPLACE_MS);
}

async function drain(pods: Pods, { name, child }: BenchPod): Promise<void> {
  child.signal('SIGTERM');
  pods.alive.delete(name);
  await child.ended();
}

function note(
  { kind, facts }: FeedEntry,
  {
    went,
    moved,
  }: {
    readonly went: ReadonlyMap<string, { readonly how: Going; readonly atMs: number }>;
    /** What a move is counted as that no pod's end has caused. */
    readonly moved: Going;
  },
  gaps: Gaps,
): void {
  if (kind !== 'takeover') return;
  const former = went.get(String(facts['from']));
  const isLeft = former?.how === 'drained' || former?.how === 'calmDrained';
  const how = facts['cause'] === 'handover' && !isLeft ? moved : (former?.how ?? 'starved');
  const resumedAtMs = Number(facts['resumedAtMs']);
  const ownMs = Number(facts['gapMs']);
  // Its last commit may be a tick older than its death.
  const isKilled = how === 'killed' || how === 'calmKilled';
  const gapMs = isKilled && former ? Math.max(0, resumedAtMs - former.atMs) : ownMs;
  for (let cell = 0; cell < Number(facts['busyCells']); cell++) gaps[how].push(gapMs);
}

const SHOWN = ['calmKilled', 'calmDrained', 'calmCame', 'killed', 'drained', 'rebalanced'] as const;
/** A killed pod with a warm standby: ticking again after this time. */
const KILLED_P99_MS = 250;
const WORDS: Readonly<Record<Going, string>> = {
  calmKilled: 'pod killed in calm',
  killed: 'pod killed',
  drained: 'pod drained',
  rebalanced: 'pod came',
  calmDrained: 'pod drained in calm',
  calmCame: 'pod came in calm',
  starved: 'pod starved',
};

function figuresOf(gaps: Gaps, tickHz: number, isQuick: boolean): Figure[] {
  const starved = gaps.starved.length;
  const alone: Figure = {
    ...{ name: 'cells taken from pods that live', value: starved, unit: '' },
    ...(isQuick ? {} : { target: '0', isMet: starved === 0 }),
  };
  const of = SHOWN.flatMap((how) => {
    if (gaps[how].length === 0) return [];
    const { p50, p99, max } = quantiles(gaps[how]);
    const missed = (ms: number): number => Math.max(0, Math.round((ms * tickHz) / 1_000) - 1);
    const isKilled = how === 'killed' || how === 'calmKilled';
    const isCalm = how === 'calmDrained' || how === 'calmCame';
    const aim = isKilled
      ? { target: '≤ 10', isMet: missed(p50) <= 10 }
      : { target: '≤ 1', isMet: missed(p50) <= 1 };
    const p99Ms = { target: `≤ ${KILLED_P99_MS}`, isMet: p99 <= KILLED_P99_MS };
    const p99Ticks = { target: '≤ 1', isMet: missed(p99) <= 1 };
    const name = `${WORDS[how]}: `;
    return [
      { name: `${name}cells that changed hands`, value: gaps[how].length, unit: '' },
      { name: `${name}gap of a cell, p50`, value: p50, unit: 'ms' },
      {
        ...{ name: `${name}gap of a cell, p99`, value: p99, unit: 'ms' },
        ...(how === 'calmKilled' && !isQuick ? p99Ms : {}),
      },
      { name: `${name}gap of a cell, max`, value: max, unit: 'ms' },
      {
        ...{ name: `${name}ticks that a cell missed, p50`, value: missed(p50), unit: 'ticks' },
        ...(isQuick ? {} : aim),
      },
      {
        ...{ name: `${name}ticks that a cell missed, p99`, value: missed(p99), unit: 'ticks' },
        ...(isCalm && !isQuick ? p99Ticks : {}),
      },
    ];
  });
  return [...of, alone];
}

/** At most this many points say how gaps are distributed. */
const POINTS_MAX = 60;

function chart(gaps: Gaps): NonNullable<Measured['charts']>[number] {
  const series = SHOWN.filter((how) => gaps[how].length > 0).map((how): Series => {
    const sorted = [...gaps[how]].sort((a, b) => a - b);
    const count = Math.min(POINTS_MAX, sorted.length);
    const points = Array.from({ length: count + 1 }, (_, i) => {
      const at = Math.min(sorted.length - 1, Math.floor((i / count) * sorted.length));
      return [Math.round((sorted[at] as number) * 10) / 10, (100 * i) / count] as const;
    });
    return { name: WORDS[how], isJoined: true, points };
  });
  return {
    title: 'How many cells tick again after how long',
    x: { label: 'ms without a tick' },
    y: { label: '% of the cells' },
    series,
  };
}
