/**
 * From a commit to everybody who follows it. One process commits 64 cells at 20 Hz; 1, 4 and 16
 * others follow them, each with connections of its own: as the halo of a pod does (20 cells around
 * the 16 it has), or as a gateway does, up to the frame of a client that sees all of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Chart, Series } from './charts.ts';
import { Child } from './child.ts';
import { type Benchmark, type Figure, type Measured, quantiles } from './figure.ts';
import type { Followed } from './follow-one.ts';
import { machineMs } from './machine-clock.ts';
import { openHeldDrift } from './world.ts';

const ONE = fileURLToPath(new URL('follow-one.ts', import.meta.url));
const SIDE = 8;
/** Few enough for sixteen gateways, each of which sees all, on two cores. */
const PER_CELL = 16;
/** Not quite 20 Hz: so the commits meet every phase of a reader's rounds. */
const TICK_MS = 51.3;
const KINDS = ['halo', 'gateway'] as const;
/** Checkpoints are written and everything is compiled by then. */
const WARM_TICKS = 10;
const FULL = { counts: [1, 4, 16], ticks: 160 };
const QUICK = { counts: [1], ticks: 20 };

type Kind = (typeof KINDS)[number];
type Result = {
  readonly kind: Kind;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  /** Of one follower, for a commit. */
  readonly cpuUs: number;
};

export const follow: Benchmark = {
  tag: 'follow',
  what: 'from a commit to 1, 4 and 16 followers of 1,024 entities in 64 cells at 20 Hz',
  async run(say, { isQuick }) {
    const { counts, ticks } = isQuick ? QUICK : FULL;
    const results: Result[] = [];
    const writer = await openWriter();
    try {
      for (const kind of KINDS) {
        for (const count of counts) {
          const result = await measure(writer, kind, { count, ticks });
          results.push(result);
          const { p50, p99 } = result;
          say(`${kind}, ${count} followers: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
        }
      }
    } finally {
      await writer.close();
    }
    return { figures: results.flatMap((result) => figuresOf(result, isQuick)), ...charts(results) };
  },
};

type Writer = Awaited<ReturnType<typeof openWriter>>;

/** Commits a tick of every cell each 50 ms, and notes when it sent them. */
async function openWriter() {
  const pod = await openHeldDrift(SIDE, PER_CELL);
  const sent = new Map<number, number>();
  let isOver = false;
  const writing = (async () => {
    for (let dueMs = machineMs(); !isOver; dueMs += TICK_MS) {
      await sleep(Math.max(0, dueMs - machineMs()));
      const commits = pod
        .step()
        .map(({ holding, tick, result }) =>
          holding.prepare(tick, result, { arrivals: [], posts: [] }, pod.ttlMs),
        );
      sent.set(commits[0]?.tick ?? 0, machineMs());
      await pod.write(commits);
    }
  })();
  return {
    sent,
    url: pod.redis.url,
    get tick(): number {
      return Math.max(...sent.keys());
    },
    async ticks(count: number): Promise<void> {
      const until = sent.size + count;
      while (sent.size < until) await Promise.race([sleep(TICK_MS / 2), writing]);
    },
    async close(): Promise<void> {
      isOver = true;
      await writing.finally(() => pod.close());
    },
  };
}

async function measure(
  writer: Writer,
  kind: Kind,
  { count, ticks }: { readonly count: number; readonly ticks: number },
): Promise<Result> {
  const args = [ONE, kind, writer.url, String(SIDE), String(PER_CELL)];
  const followers = Array.from({ length: count }, () => new Child(args, {}));
  try {
    const ready = await Promise.all(
      followers.map((each) => each.take(({ type }) => type === 'ready')),
    );
    await writer.ticks(WARM_TICKS);
    for (const each of followers) each.say({ type: 'begin' });
    await Promise.all(followers.map((each) => each.take(({ type }) => type === 'begun')));
    // What was sent before may have been seen before.
    await writer.ticks(1);
    const from = writer.tick;
    await writer.ticks(ticks);
    for (const each of followers) each.say({ type: 'end', tick: from + ticks });
    const took = (await Promise.all(
      followers.map((each) => each.take(({ type }) => type === 'followed')),
    )) as unknown as Followed[];
    const cells = Number(ready[0]?.['cells']);
    const { sent } = writer;
    return resultOf(took, { kind, count, commits: cells * ticks, sent, from, to: from + ticks });
  } finally {
    await Promise.all(followers.map((each) => each.stop()));
  }
}

type Run = Pick<Result, 'kind' | 'count'> & {
  /** For one follower. */
  readonly commits: number;
  readonly sent: ReadonlyMap<number, number>;
  /** Ticks after the one, up to the other. */
  readonly from: number;
  readonly to: number;
};

function resultOf(took: readonly Followed[], run: Run): Result {
  const { kind, count, commits, sent, from, to } = run;
  const lags = took.flatMap(({ seen }) =>
    seen
      .filter(([, tick]) => tick > from && tick <= to)
      .map(([, tick, ms]) => ms - (sent.get(tick) as number)),
  );
  if (lags.length < commits * count) {
    throw new Error(`${kind}: ${lags.length} of ${commits * count} commits were seen`);
  }
  const { p50, p99 } = quantiles(lags);
  const cpuMs = took.reduce((sum, each) => sum + each.cpuMs, 0);
  const cpuUs = (cpuMs * 1_000) / lags.length;
  return { kind, count, p50, p99, cpuUs };
}

/** Seen by then it may be drawn, or stepped on, in the tick after the next (design: time). */
const AIM_MS: Readonly<Record<Kind, number>> = { halo: 100, gateway: 50 };

function figuresOf(result: Result, isQuick: boolean): Figure[] {
  const { kind, count, p50, p99, cpuUs } = result;
  const who = `${kind}, ${count} follower${count === 1 ? '' : 's'}`;
  const aim = { target: `≤ ${AIM_MS[kind]}`, isMet: p99 <= AIM_MS[kind] };
  return [
    { name: `${who}: commit to seen, p50`, value: p50, unit: 'ms' },
    {
      ...{ name: `${who}: commit to seen, p99`, value: p99, unit: 'ms' },
      ...(isQuick || count > 1 ? {} : aim),
    },
    { name: `${who}: its CPU for a commit of ${PER_CELL}`, value: cpuUs, unit: 'µs' },
  ];
}

function charts(results: readonly Result[]): Pick<Measured, 'charts'> {
  const series = (of: 'p50' | 'p99' | 'cpuUs'): Series[] =>
    KINDS.map((kind) => ({
      name: of === 'cpuUs' ? kind : `${kind}, ${of}`,
      isJoined: true,
      points: results
        .filter((result) => result.kind === kind)
        .map((result) => [result.count, result[of]] as const),
    }));
  const x = { label: 'followers, each a process', isLog: true };
  const lag: Chart = {
    title: 'From a commit to those who follow it',
    ...{ x, y: { label: 'ms' }, series: [...series('p50'), ...series('p99')] },
  };
  const cpu: Chart = {
    title: 'What following costs the follower',
    ...{
      x,
      y: { label: `µs of CPU for a commit of ${PER_CELL} entities` },
      series: series('cpuUs'),
    },
  };
  return { charts: [lag, cpu] };
}
