/** Components, worlds and cells that the tests of cells share. */
import { LeaseholdError } from '@leasehold/kernel';
import type { LogEntry } from '@leasehold/protocol';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import { type CellState, compile, type StepInput } from './engine.ts';
import {
  type AnyComponent,
  component,
  f64,
  i32,
  type SeedContext,
  type System,
  simulation,
  string,
  system,
  testWorld,
} from './index.ts';

export const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
export const Velocity = component('velocity', 1, { x: f64, y: f64 });
export const Mark = component('mark', 1, { n: i32, text: string });
export const Tag = component('tag', 1, {});
export const components = [Position, Velocity, Mark, Tag];
export const torus: SpaceSpec = { kind: 'torus', width: 40, height: 40, cell: 10 };

export const drift = system({
  name: 'drift',
  reads: { velocity: Velocity },
  writes: { position: Position },
  each({ velocity, position }, { dtS }) {
    position.x += velocity.x * dtS;
    position.y += velocity.y * dtS;
  },
});

/** One cell without a world around it. */
export function soloCell(systems: System[], used: AnyComponent[] = components): CellState {
  const grid = new Grid(torus);
  const declared = simulation({ components: used, systems });
  return compile(declared, { layer: 'main', grid, seed: 1, tickHz: 10, params: {} }).createCell(0);
}
export const quiet = (tick: number): StepInput => ({
  ...{ tick, outSeq: 0, arrivals: [] },
  view: () => undefined,
});
export const world = (
  systems: System[],
  entities: Parameters<typeof testWorld>[1]['entities'] = [],
) => testWorld(simulation({ components, systems }), { space: torus, entities, verify: true });
export async function failureOf(act: () => unknown): Promise<LeaseholdError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

export async function seededEntries(
  entities: Parameters<typeof testWorld>[1]['entities'],
): Promise<LogEntry[]> {
  const seed = ({ spawn }: SeedContext): void => {
    for (const values of entities ?? []) spawn(...values);
  };
  const declared = simulation({ components, systems: [], seed });
  const options = { layer: 'main', grid: new Grid(torus), seed: 1, tickHz: 10, params: {} };
  const commits = await compile(declared, options).seed();
  const body = commits.get(0)?.body ?? new Uint8Array(0);
  return [{ seq: 1, version: 1, epoch: '1', prevHash: '', hash: '', tick: 0, body }];
}
