/**
 * Three agent models that everybody measures, small and large, written with the sdk as a user would
 * and with loops by hand: the same seeds one after the other, in memory, and then with a lease and a
 * commit per step on Redis. Setting up is not counted, nor are the first runs, in which V8 compiles.
 */
import { readFileSync } from 'node:fs';
import { Random } from '@leasehold/kernel';
import { type CellState, compile, type Engine } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { openDurable } from './abm/durable.ts';
import { MODELS, type Model } from './abm/worlds.ts';
import { type Benchmark, type Figure, median } from './figure.ts';
import { startRedis } from './redis.ts';

const SEEDS = 60;
/** Of those, how many are run on Redis too. */
const DURABLE_SEEDS = 15;
const WARM_UP_SEEDS = 5;
const TIMES_MAX = 1.5;
const DURABLE_TIMES_MAX = 2;

type Measured = Readonly<Record<'sdk' | 'hand' | 'sdkOutcome' | 'handOutcome', number>> & {
  readonly durable: number | undefined;
};

export const abm: Benchmark = {
  tag: 'abm',
  what: 'agent models: flocking, wolf-sheep, Schelling',
  async run(say, { isQuick }) {
    const redis = await startRedis();
    try {
      const figures: Figure[] = [];
      for (const [m, model] of MODELS.entries()) {
        const runs = await runsOf(model, { url: redis.url, first: m * 1000, isQuick });
        figures.push(...figuresOf(model, runs, isQuick));
        const ms = (figure: (run: Measured) => number) => median(runs.map(figure)).toFixed(1);
        say(`${labelOf(model)}: ${ms((run) => run.sdk)} ms, by hand ${ms((run) => run.hand)} ms`);
      }
      return figures;
    } finally {
      await redis.stop();
    }
  },
};

const labelOf = ({ name, isLarge }: Model): string => `${name} ${isLarge ? 'large' : 'small'}`;

type Where = { readonly url: string; readonly first: number; readonly isQuick: boolean };

async function runsOf(model: Model, { url, first, isQuick }: Where): Promise<Measured[]> {
  const engine = engineOf(model, 1);
  const state = engine.createCell(0);
  const runs: Measured[] = [];
  const warmUp = isQuick ? 0 : WARM_UP_SEEDS;
  const seeds = isQuick ? 2 : SEEDS;
  for (let seed = 1; seed <= warmUp + seeds; seed++) {
    const hasStore = seed <= warmUp + (isQuick ? 1 : DURABLE_SEEDS);
    const sdk = await runInMemory(model, state, seed);
    const hand = runByHand(model, seed);
    const at = { url, incarnation: first + seed, seed };
    const durable = hasStore ? await runDurably(model, engine, at) : undefined;
    if (seed > warmUp) runs.push({ ...sdk, ...hand, durable });
  }
  return runs;
}

function engineOf(model: Model, seed: number): Engine {
  const grid = new Grid(model.space);
  const { params } = model;
  return compile(model.simulation, { layer: 'main', grid, seed, tickHz: 1, params });
}

/** What a seed starts with. */
async function startOf(model: Model, seed: number) {
  const start = (await engineOf(model, seed).seed()).get(0);
  if (start === undefined) throw new Error(`${labelOf(model)} starts empty`);
  return start;
}

/** Draws depend on the tick, so each seed has ticks of its own. */
const firstTickOf = (seed: number): number => seed * 1000;

async function runInMemory(model: Model, state: CellState, seed: number) {
  const { body } = await startOf(model, seed);
  const entry = { seq: 1, version: 1, epoch: '1', prevHash: '', hash: '', tick: 0, body };
  state.restore({ cell: 0, entries: [entry] });
  state.refresh(firstTickOf(seed));
  const startedMs = performance.now();
  for (let n = 0; n < model.steps; n++) {
    const tick = state.tick + 1;
    state.step({ tick, outSeq: 0, arrivals: [], view: () => undefined });
  }
  return { sdk: performance.now() - startedMs, sdkOutcome: model.outcome(state) };
}

function runByHand(model: Model, seed: number) {
  const run = model.hand(new Random().key(seed, 0, 0, 0));
  const startedMs = performance.now();
  for (let n = 0; n < model.steps; n++) run.step();
  return { hand: performance.now() - startedMs, handOutcome: run.outcome() };
}

type Stored = { readonly url: string; readonly incarnation: number; readonly seed: number };

async function runDurably(model: Model, engine: Engine, { url, incarnation, seed }: Stored) {
  const start = await startOf(model, seed);
  const state = engine.createCell(0);
  const world = await openDurable(url, incarnation, { engine, state, seed: start });
  try {
    state.refresh(firstTickOf(seed));
    const startedMs = performance.now();
    for (let n = 0; n < model.steps; n++) await world.step();
    return performance.now() - startedMs;
  } finally {
    await world.close();
  }
}

function figuresOf(model: Model, runs: readonly Measured[], isQuick: boolean): Figure[] {
  const of = (figure: (run: Measured) => number): number => median(runs.map(figure));
  const times = of(({ sdk, hand }) => sdk / hand);
  const stored = runs.filter((run) => run.durable !== undefined);
  const durable = median(stored.map((run) => (run.durable ?? 0) / run.sdk));
  const label = labelOf(model);
  const aim = (target: string, isMet: boolean) => (isQuick ? {} : { target, isMet });
  return [
    { name: `${label}: a run`, value: of(({ sdk }) => sdk), unit: 'ms' },
    {
      ...{ name: `${label}: as long as loops by hand`, value: times, unit: 'times' },
      ...aim(`≤ ${TIMES_MAX}`, times <= TIMES_MAX),
    },
    {
      ...{ name: `${label}: on Redis, as long as in memory`, value: durable, unit: 'times' },
      ...(model.isLarge ? aim(`≤ ${DURABLE_TIMES_MAX}`, durable <= DURABLE_TIMES_MAX) : {}),
    },
    {
      ...{ name: `${label}: outcomes apart, in standard errors`, value: apart(runs), unit: '' },
      ...aim('≤ 4', apart(runs) <= 4),
    },
    ...(model.isLarge
      ? []
      : [{ name: `${model.name}: code`, value: linesOf(model.file), unit: 'lines' }]),
  ];
}

/** How far the mean outcomes of sdk and hand are apart (Welch 1947). */
function apart(runs: readonly Measured[]): number {
  const sdk = moments(runs.map(({ sdkOutcome }) => sdkOutcome));
  const hand = moments(runs.map(({ handOutcome }) => handOutcome));
  const error = Math.sqrt((sdk.variance + hand.variance) / runs.length);
  return error === 0 ? 0 : Math.abs(sdk.mean - hand.mean) / error;
}

function moments(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / Math.max(1, values.length - 1) };
}

/** Lines that are neither empty nor comments. */
function linesOf(file: string): number {
  const text = readFileSync(new URL(`abm/${file}`, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\*\*|\*|\/\/)/.test(line))
    .length;
}
