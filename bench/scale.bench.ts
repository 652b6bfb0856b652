/**
 * What grows with what: entities, cells and pods, one at a time, on real pods and a real Redis. By
 * CPU time of the processes, not by the clock on the wall, so that two cores measure what thirty
 * would do; a straight line through each, and from the lines how much one Redis carries.
 */
import type { Chart, Series } from './charts.ts';
import type { Benchmark, Figure, Measured } from './figure.ts';
import { type Line, leastSquares, type Point } from './fit.ts';
import { type Cost, costOf, type Size, type Ticks } from './scale-run.ts';

const TICK_HZ = 20;
const LOAD_MAX = 0.8;
/** CPU of one thread for a tick. */
const BUDGET_MS = (LOAD_MAX * 1_000) / TICK_HZ;
const PER_CELL = 256;

type Plan = {
  readonly entities: readonly number[];
  readonly cells: readonly number[];
  readonly pods: readonly number[];
  /** What stays the same while another grows. */
  readonly base: Size;
  readonly ticks: Ticks;
  /** For the largest worlds. */
  readonly ticksLong: Ticks;
};

/** A cell writes a checkpoint about every 40 ticks: whole rounds of them are measured. */
const FULL: Plan = {
  entities: [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576],
  cells: [16, 64, 256, 1_024, 4_096],
  pods: [1, 2, 4, 8],
  base: { entities: 32_768, cells: 256, pods: 1 },
  ticks: { warm: 40, measured: 80 },
  ticksLong: { warm: 8, measured: 40 },
};
const LONG_FROM = 60_000;
const LONG_CELLS_FROM = 1_000;
const QUICK: Plan = {
  entities: [256, 2_048],
  cells: [16, 64],
  pods: [1, 2],
  base: { entities: 2_048, cells: 16, pods: 1 },
  ticks: { warm: 2, measured: 10 },
  ticksLong: { warm: 2, measured: 10 },
};

export const scale: Benchmark = {
  tag: 'scale',
  what: '1 k to 1 M moving entities, 16 to 4,096 cells, 1 to 8 pods, by CPU time',
  async run(say, { isQuick }) {
    const plan = isQuick ? QUICK : FULL;
    const known = new Map<string, Cost>();
    const sweep = async (sizes: readonly Size[]): Promise<Cost[]> => {
      const costs: Cost[] = [];
      for (const size of sizes) {
        const key = JSON.stringify(size);
        const isLong = size.entities >= LONG_FROM || size.cells >= LONG_CELLS_FROM;
        const cost = known.get(key) ?? (await costOf(size, isLong ? plan.ticksLong : plan.ticks));
        if (!known.has(key)) say(told(cost));
        known.set(key, cost);
        costs.push(cost);
      }
      return costs;
    };
    const { base } = plan;
    const entities = await sweep(plan.entities.map((each) => ({ ...base, entities: each })));
    const cells = await sweep(plan.cells.map((each) => ({ ...base, cells: each })));
    const pods = await sweep(plan.pods.map((each) => ({ ...base, pods: each })));
    return measuredOf({ entities, cells, pods });
  },
};

function told({ entities, cells, pods, podMs, redisMs, commands }: Cost): string {
  const what = `${entities.toLocaleString('en-US')} entities, ${cells} cells, ${pods} pods`;
  const ms = `pods ${podMs.toFixed(2)} ms, Redis ${redisMs.toFixed(2)} ms`;
  return `${what}: ${ms}, ${commands.toFixed(1)} commands a tick`;
}

type Grown = 'entities' | 'cells' | 'pods';
type Amount = 'podMs' | 'redisMs' | 'commands' | 'bytes';
type Sweeps = Readonly<Record<Grown, readonly Cost[]>>;

function measuredOf(sweeps: Sweeps): Measured {
  const points = (by: Grown, of: Amount): Point[] =>
    sweeps[by].map((cost) => [cost[by], cost[of]] as const);
  const line = (by: Grown, of: Amount): Line => leastSquares(points(by, of));
  const series = (name: string, by: Grown, of: Amount): Series => ({
    ...{ name, points: points(by, of), line: line(by, of) },
  });
  const cpu = (by: Grown): Series[] => [
    series('all pods', by, 'podMs'),
    series('Redis', by, 'redisMs'),
  ];
  const chart = (title: string, by: Grown, of: readonly Series[], unit: string): Chart => {
    const isLog = by !== 'pods';
    return { title, x: { label: by, isLog }, y: { label: unit, isLog }, series: of };
  };
  const ms = 'ms of CPU for a tick';
  return {
    figures: figuresOf(sweeps, line),
    charts: [
      chart('A tick costs what its entities cost', 'entities', cpu('entities'), ms),
      chart('A cell more costs little, with the same entities', 'cells', cpu('cells'), ms),
      chart('A pod more costs what it reads of its neighbours', 'pods', cpu('pods'), ms),
      chart(
        'Commands grow with cells, not with entities',
        'cells',
        [series('commands of a tick', 'cells', 'commands')],
        'commands',
      ),
    ],
  };
}

function figuresOf(sweeps: Sweeps, line: (by: Grown, of: Amount) => Line): Figure[] {
  const slope = (name: string, of: Line, factor: number, unit: string): Figure[] => [
    { name, value: of.slope * factor, unit },
    { name: `${name}: r² of the line`, value: of.r2, unit: '' },
  ];
  const middle = sweeps.cells[Math.floor(sweeps.cells.length / 2)] as Cost;
  const share = (100 * middle.redisMs) / (middle.redisMs + middle.podMs);
  const [alone, carried] = capacities(line, middle);
  return [
    ...slope('an entity more: CPU of the pod', line('entities', 'podMs'), 1e6, 'ns'),
    ...slope('an entity more: CPU of Redis', line('entities', 'redisMs'), 1e6, 'ns'),
    ...slope('an entity more: bytes of a tick', line('entities', 'bytes'), 1, 'bytes'),
    {
      name: 'a thousand entities more: commands of a tick',
      ...{ value: line('entities', 'commands').slope * 1_000, unit: '' },
    },
    ...slope('a cell more: CPU of the pod', line('cells', 'podMs'), 1e3, 'µs'),
    ...slope('a cell more: CPU of Redis', line('cells', 'redisMs'), 1e3, 'µs'),
    ...slope('a cell more: commands of a tick', line('cells', 'commands'), 1, ''),
    ...slope('a pod more: CPU of all pods', line('pods', 'podMs'), 1, 'ms'),
    ...slope('a pod more: CPU of Redis', line('pods', 'redisMs'), 1, 'ms'),
    { name: `Redis, part of all CPU (${size(middle)})`, value: share, unit: '%' },
    {
      name: `one Redis carries at ${TICK_HZ} Hz and 80 % CPU, ${PER_CELL} in a cell`,
      ...{ value: alone, unit: 'entities' },
    },
    {
      name: 'the same with what that many pods read of each other',
      ...{ value: carried, unit: 'entities' },
    },
  ];
}

const size = ({ entities, cells }: Cost): string =>
  `${entities.toLocaleString('en-US')} entities, ${cells} cells`;

/**
 * Entities that fill the main thread of one Redis: by what it takes to write them alone; and with
 * as many pods as it takes to move them, each of which reads, too.
 */
function capacities(line: (by: Grown, of: Amount) => Line, base: Size): [number, number] {
  const cell = Math.max(0, line('cells', 'redisMs').slope);
  const moved = Math.max(0, line('entities', 'redisMs').slope);
  const entity = moved + cell / PER_CELL;
  const fixed = Math.max(0, line('cells', 'redisMs').intercept - base.entities * moved);
  const ofPod = Math.max(0, line('entities', 'podMs').slope);
  const podCell = Math.max(0, line('cells', 'podMs').slope) / PER_CELL;
  const podsOfEntity = (ofPod + podCell) / BUDGET_MS;
  const pod = Math.max(0, line('pods', 'redisMs').slope);
  const room = BUDGET_MS - fixed;
  return [room / entity, room / (entity + pod * podsOfEntity)];
}
