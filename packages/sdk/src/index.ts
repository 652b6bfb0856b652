/**
 * What the module of a world imports: components, systems, simulations, and a world for its tests.
 */

export type { Random } from '@leasehold/kernel';
export type { Durability } from '@leasehold/protocol';
export {
  Grid,
  greatCircleDestination,
  greatCircleDistance,
  greatCirclePoint,
  initialBearing,
  type PointOut,
  type SpaceSpec,
} from '@leasehold/spatial';
export {
  type AnyComponent,
  type Component,
  type ComponentOptions,
  type Components,
  ComponentValue,
  component,
  type Fields,
  type ReadonlyRow,
  type Row,
  type ValueOf,
  type Values,
} from './component.ts';
export {
  type AnyEvent,
  type Event,
  type EventRow,
  type Events,
  EventValue,
  event,
  Undelivered,
} from './event.ts';
export {
  bool,
  entity,
  type Field,
  type Frozen,
  f32,
  f64,
  i8,
  i16,
  i32,
  type JsonKind,
  json,
  type Kind,
  string,
  u8,
  u16,
  u32,
} from './kinds.ts';
export {
  isSimulation,
  type SeedContext,
  type Simulation,
  type SimulationOptions,
  simulation,
} from './simulation.ts';
export {
  type Context,
  type Neighbour,
  type Neighbours,
  type Params,
  type System,
  type SystemOptions,
  type SystemRow,
  system,
} from './system.ts';
export { type Found, TestWorld, type TestWorldOptions, testWorld } from './testing.ts';
