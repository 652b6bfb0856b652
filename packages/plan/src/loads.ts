/**
 * What pods say of their cells, made into one number for each cell. Pods may lie: what cannot be
 * true is not used, and is named.
 */
import type { CellLoad } from '@leasehold/protocol';

/** A tick of one cell that lasts longer than this has not been measured but made up. */
export const CELL_TICK_MS_MAX = 10_000;
/** No cell holds more: a checkpoint of so many could not be written. */
export const CELL_ENTITIES_MAX = 10_000_000;
/** What an entity is taken to cost where nothing has ticked yet: people are where the work will be. */
const ENTITY_MS = 0.002;
/** Each pod's first ones are named; a thousand more say nothing new. */
export const LIES_PER_POD_MAX = 3;

export type Lie = {
  readonly pod: string;
  readonly cell: number;
  readonly field: 'cell' | 'tickMs' | 'entities';
  readonly value: string;
  readonly reason: 'not a number' | 'negative' | 'too large' | 'no such cell';
  /** What was done about it, for people. */
  readonly remedy: string;
};

/** By cell. Made by `gatherLoads`, which keeps what is impossible out. */
export type Loads = {
  readonly atMs: number;
  readonly tickMs: Float64Array;
  readonly entities: Float64Array;
  /** How long nothing has changed there; −1: nobody reports it. */
  readonly stillMs: Float64Array;
  readonly lies: readonly Lie[];
};

export type LoadReports = {
  /** By pod, as the store keeps them. */
  readonly reports: ReadonlyMap<string, readonly CellLoad[]>;
  /** How many the grid has. */
  readonly cells: number;
  readonly nowMs: number;
  /** What was gathered the time before; what is new counts gradually then. */
  readonly last?: Loads | undefined;
};

/**
 * A change of cost has been believed by 63 % after this time. Ticks are short, and those of one pod take
 * a third more in one second than in the next: a plan that believed that sooner would follow it.
 */
const SMOOTH_MS = 20_000;
/** Unless it is more than so many times what was expected, or less: that is no noise, and may be urgent. */
const SURE_TIMES = 3;
const SURE_SMOOTH_MS = 4_000;
/** So few entities more or less say nothing about what a cell costs: one of them may be all of it. */
const FEW_ENTITIES = 5;
/** What nobody reports any more has been forgotten by 63 % after this time. */
const FORGET_MS = 20_000;

/**
 * One load for each cell. Of two pods that report a cell, which happens around a handover, the
 * larger counts. A cell that nobody reports keeps its load for some time: its pod may have died,
 * and the load is still to be carried. A lie about ticks is replaced by what the same number of
 * entities costs elsewhere.
 */
export function gatherLoads({ reports, cells, nowMs, last }: LoadReports): Loads {
  const tickMs = new Float64Array(cells).fill(-1);
  const entities = new Float64Array(cells);
  const stillMs = new Float64Array(cells).fill(-1);
  const lies: Lie[] = [];
  const doubtful: number[] = [];
  let honestMs = 0;
  let honestEntities = 0;
  // By name, so that the same reports give the same loads whatever order they came in.
  const pods = [...reports.keys()].sort();
  for (const pod of pods) {
    const found: Lie[] = [];
    for (const load of reports.get(pod)!) {
      const wrong = liesOf(pod, load, cells);
      found.push(...wrong);
      const fields = wrong.map(({ field }) => field);
      if (fields.includes('cell')) continue;
      const count = fields.includes('entities') ? 0 : load.entities;
      entities[load.cell] = Math.max(entities[load.cell]!, count);
      stillMs[load.cell] = stillest(load, stillMs[load.cell]!);
      if (fields.includes('tickMs')) {
        doubtful.push(load.cell);
        continue;
      }
      tickMs[load.cell] = Math.max(tickMs[load.cell]!, load.tickMs);
      honestMs += load.tickMs;
      honestEntities += count;
    }
    lies.push(...found.slice(0, LIES_PER_POD_MAX));
  }
  const isKnown = honestMs > 0 && honestEntities > 0;
  const entityMs = isKnown ? honestMs / honestEntities : ENTITY_MS;
  if (honestMs === 0) {
    for (let cell = 0; cell < cells; cell++) if (tickMs[cell] === 0) doubtful.push(cell);
  }
  for (const cell of doubtful) {
    if (tickMs[cell]! <= 0) tickMs[cell] = entities[cell]! * entityMs;
  }
  blend({ tickMs, entities, nowMs, last, entityMs });
  return { atMs: nowMs, tickMs, entities, stillMs, lies };
}

/** What cannot be true says that something changes: then the cell stays awake. */
function stillest({ stillMs = 0 }: CellLoad, known: number): number {
  const told = stillMs > 0 && Number.isFinite(stillMs) ? stillMs : 0;
  return known < 0 ? told : Math.min(told, known);
}

type Blending = {
  readonly tickMs: Float64Array;
  readonly entities: Float64Array;
  readonly nowMs: number;
  readonly last: Loads | undefined;
  /** What an entity costs in the mean. */
  readonly entityMs: number;
};

/**
 * Unreported cells get what is left of their last load. The others go from the last to the new, but
 * that a crowd has come or gone counts at once: one that walks is where it is.
 */
function blend({ tickMs, entities, nowMs, last, entityMs }: Blending): void {
  const isUsable = last !== undefined && last.tickMs.length === tickMs.length;
  // A clock that goes back says nothing about how old the last loads are.
  const elapsedMs = isUsable ? Math.max(0, nowMs - last.atMs) : 0;
  const fresh = 1 - Math.exp(-elapsedMs / SMOOTH_MS);
  const sure = 1 - Math.exp(-elapsedMs / SURE_SMOOTH_MS);
  const kept = Math.exp(-elapsedMs / FORGET_MS);
  for (let cell = 0; cell < tickMs.length; cell++) {
    const now = tickMs[cell]!;
    const before = isUsable ? last.tickMs[cell]! : now;
    if (now < 0) {
      tickMs[cell] = isUsable ? before * kept : 0;
      entities[cell] = isUsable ? last.entities[cell]! * kept : 0;
    } else if (isUsable && entities[cell]! > 0) {
      const countBefore = last.entities[cell]!;
      // What one more of them costs: what those there do, or where they are few what all do.
      const eachMs = (before + FEW_ENTITIES * entityMs) / (countBefore + FEW_ENTITIES);
      const expected = Math.max(0, before + (entities[cell]! - countBefore) * eachMs);
      const isSure = now > SURE_TIMES * expected || expected > SURE_TIMES * now;
      tickMs[cell] = expected + (now - expected) * (isSure ? sure : fresh);
    } else tickMs[cell] = now;
  }
}

function liesOf(pod: string, load: CellLoad, cells: number): Lie[] {
  const { cell, tickMs, entities } = load;
  if (!Number.isInteger(cell) || cell < 0 || cell >= cells) {
    return [lie(pod, cell, 'cell', cell, 'no such cell')];
  }
  const ofTick = wrongWith(tickMs, CELL_TICK_MS_MAX);
  const ofEntities = wrongWith(entities, CELL_ENTITIES_MAX);
  return [
    ...(ofTick === undefined ? [] : [lie(pod, cell, 'tickMs', tickMs, ofTick)]),
    ...(ofEntities === undefined ? [] : [lie(pod, cell, 'entities', entities, ofEntities)]),
  ];
}

function wrongWith(value: number, max: number): Lie['reason'] | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return 'not a number';
  if (value < 0) return 'negative';
  return value > max ? 'too large' : undefined;
}

function lie(
  pod: string,
  cell: number,
  field: Lie['field'],
  value: unknown,
  reason: Lie['reason'],
): Lie {
  const remedy =
    field === 'cell'
      ? 'It is not used; is the pod of a world of another size?'
      : field === 'tickMs'
        ? 'The cell is taken to cost what its entities cost elsewhere; look at the clock of the pod.'
        : 'The cell is taken to be empty; look at the version of the pod.';
  return { pod, cell, field, value: String(value), reason, remedy };
}
