/**
 * What a running world feels of it when snapshots are taken of it, one right after the other, at the
 * default rate: how long its ticks take while nobody takes any, and while somebody does, in turns.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@leasehold/servers';
import { Child } from './child.ts';
import { type Benchmark, type Figure, median, quantiles } from './figure.ts';
import { openGliders } from './gliders.ts';
import { otherCpuSeconds } from './other-load.ts';
import { openPods, type Pods } from './pods.ts';

const TICK_TIMES = fileURLToPath(new URL('tick-times.ts', import.meta.url));
const TAKER = fileURLToPath(new URL('snapshot-taker.ts', import.meta.url));
/** A cell has as many as in the other benchmark of snapshots. */
const FULL = {
  cells: 100,
  entities: 97_700,
  turns: 12,
  turnMs: 10_000,
};
const QUICK = { cells: 16, entities: 800, turns: 1, turnMs: 2_000 };
const TICK_HZ = 20;
/** Of fewer nothing is said. */
const TURNS_MIN = 5;
/** Where others disturb most turns, it ends after so many times as many. */
const ROUNDS_MAX = 3;
const PODS = 2;
const WARM_MS = 10_000;
/** Until what was measured before it is said, and what a snapshot left to be done is done. */
const SETTLE_MS = 1_500;
const RISE_MAX = 1.2;
/** A turn in which somebody else had more of a core than this says nothing. */
const OTHERS_MAX = 0.15;

type Extent = typeof FULL;
/** What pods say of a turn. */
type Turn = {
  readonly times: readonly number[];
  readonly due: number;
  readonly late: number;
  /** Cores that pods took, and that others did who are no part of this. */
  readonly cpu: number;
  readonly others: number;
};
type Taken = { readonly seconds: number; readonly entities: number };
type Round = { readonly alone: Turn; readonly beside: Turn; readonly taken: readonly Taken[] };

export const snapshotLive: Benchmark = {
  tag: 'snapshot-live',
  what: 'ticks of 97,700 entities on 2 pods while snapshots are taken at the default rate',
  async run(say, { isQuick }) {
    const extent = isQuick ? QUICK : FULL;
    const home = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
    // Where this runs as root, the server runs as somebody who must get through here.
    chmodSync(home, 0o711);
    // A server that others use, as DATABASE_URL might name, would measure them.
    const server = await openDatabase({ home, env: { ...process.env, DATABASE_URL: '' } });
    try {
      return figuresOf(await measure(server.databaseUrl, extent, say), isQuick);
    } finally {
      await server.close();
      rmSync(home, { recursive: true, force: true });
    }
  },
};

async function measure(databaseUrl: string, extent: Extent, say: (line: string) => void) {
  const world = await openGliders({ ...extent, tickHz: TICK_HZ, module: 'snapshot-world.ts' });
  try {
    const pods = await openPods(world.folder);
    const where = { REDIS_URL: pods.redis.url, LEASEHOLD_HOME: pods.home };
    const taker = new Child([TAKER], { ...where, DATABASE_URL: databaseUrl });
    try {
      await startAll(pods);
      await taker.take(({ ready }) => ready === true);
      await pods.run();
      await sleep(Math.min(WARM_MS, extent.turnMs));
      const rounds: Round[] = [];
      while (!isEnough(rounds, extent.turns)) {
        const round = await runRound(pods, taker, extent.turnMs);
        rounds.push(round);
        say(`round ${rounds.length}: ${worded(round)}`);
      }
      return rounds;
    } finally {
      await taker.stop();
      await pods.close();
    }
  } finally {
    await world.close();
  }
}

const isQuiet = ({ others }: Turn): boolean => !(others > OTHERS_MAX);

/** So many turns of each kind that nobody disturbed. */
function isEnough(rounds: readonly Round[], turns: number): boolean {
  const counts = (['alone', 'beside'] as const).map(
    (kind) => rounds.filter((round) => isQuiet(round[kind])).length,
  );
  return Math.min(...counts) >= turns || rounds.length >= turns * ROUNDS_MAX;
}

function worded({ alone, beside, taken }: Round): string {
  const of = ({ times, cpu, others }: Turn): string => {
    const { p50, p99 } = quantiles(times);
    const cores = `${cpu.toFixed(2)} cores, ${others.toFixed(2)} for others`;
    return `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms, ${cores}`;
  };
  return `${of(alone)}; with ${taken.length} snapshots ${of(beside)}`;
}

async function runRound(pods: Pods, taker: Child, turnMs: number): Promise<Round> {
  const alone = await turnOf(pods, turnMs);
  taker.say({ go: true });
  const beside = await turnOf(pods, turnMs);
  taker.say({ go: false });
  const taken: Taken[] = [];
  for (;;) {
    const line = await taker.take(({ entities, idle }) => entities !== undefined || idle === true);
    if (line['idle'] === true) break;
    taken.push(line as Taken);
  }
  return { alone, beside, taken };
}

async function turnOf(pods: Pods, turnMs: number): Promise<Turn> {
  await sleep(SETTLE_MS);
  for (const { child } of pods.alive.values()) child.takeAll(isOfTicks);
  const before = await ticksOf(pods);
  const cpu = cpuOf(pods);
  const others = otherCpuSeconds();
  const startedMs = performance.now();
  await sleep(turnMs);
  const times = [...pods.alive.values()].flatMap(({ child }) =>
    child.takeAll(isOfTicks).flatMap(({ tickTimes }) => tickTimes as number[]),
  );
  const after = await ticksOf(pods);
  const seconds = (performance.now() - startedMs) / 1_000;
  return {
    ...{ times, due: after.due - before.due, late: after.late - before.late },
    ...{ cpu: (cpuOf(pods) - cpu) / seconds, others: (otherCpuSeconds() - others) / seconds },
  };
}

const isOfTicks = ({ tickTimes }: Readonly<Record<string, unknown>>): boolean =>
  tickTimes !== undefined;

async function ticksOf(pods: Pods): Promise<{ readonly due: number; readonly late: number }> {
  const records = await pods.records();
  const sum = (name: string): number =>
    records.reduce((total, { report }) => total + (report[name] ?? 0), 0);
  return { due: sum('dueTicks'), late: sum('lateTicks') };
}

const cpuOf = ({ alive }: Pods): number =>
  [...alive.values()].reduce((sum, { child }) => sum + child.cpuSeconds(), 0);

async function startAll(pods: Pods): Promise<void> {
  const started = Array.from({ length: PODS }, () => pods.start(PODS, ['--import', TICK_TIMES]));
  await Promise.all(started.map(({ child }) => child.take(({ msg }) => msg === 'ready')));
  await pods.untilHeld(true);
}

/** All that was measured in turns that nobody disturbed; in all of them where there are too few. */
function pooled(rounds: readonly Round[], kind: 'alone' | 'beside') {
  const all = rounds.map((round) => round[kind]);
  const quiet = all.filter(isQuiet);
  const turns = quiet.length === 0 ? all : quiet;
  const sum = (figure: (turn: Turn) => number): number =>
    turns.reduce((total, turn) => total + figure(turn), 0);
  const late =
    (100 * sum((turn) => turn.late)) /
    Math.max(
      1,
      sum(({ due }) => due),
    );
  return { ...quantiles(turns.flatMap(({ times }) => times)), late, turns: quiet.length };
}

function figuresOf(rounds: readonly Round[], isQuick: boolean): Figure[] {
  const alone = pooled(rounds, 'alone');
  const beside = pooled(rounds, 'beside');
  const rise = beside.p99 / alone.p99;
  const turns = Math.min(alone.turns, beside.turns);
  const taken = rounds.filter((round) => isQuiet(round.beside)).flatMap((round) => round.taken);
  const seconds = median(taken.map((each) => each.seconds));
  const late = ' of the ticks that were due, late';
  return [
    { name: 'entities', value: rounds[0]?.taken[0]?.entities ?? 0, unit: '' },
    { name: 'turns of each kind that nobody disturbed', value: turns, unit: '' },
    { name: 'a snapshot at the default rate', value: seconds, unit: 's' },
    { name: 'a tick while none is taken, p50', value: alone.p50, unit: 'ms' },
    { name: 'a tick while none is taken, p99', value: alone.p99, unit: 'ms' },
    { name: 'a tick while they are taken, p50', value: beside.p50, unit: 'ms' },
    { name: 'a tick while they are taken, p99', value: beside.p99, unit: 'ms' },
    {
      ...{ name: 'its p99, of that while none is taken', value: rise, unit: 'times' },
      ...(isQuick || turns < TURNS_MIN ? {} : { target: `≤ ${RISE_MAX}`, isMet: rise <= RISE_MAX }),
    },
    { name: `while none is taken,${late}`, value: alone.late, unit: '%' },
    { name: `while they are taken,${late}`, value: beside.late, unit: '%' },
  ];
}
