/**
 * How long what is written into a component may stay unwritten in the log: not at all, for some
 * ticks, or for ever in checkpoints. Part of the schema, so that whoever reads a world knows it.
 */
import { LeaseholdError } from '@leasehold/kernel';

/**
 * `tick`: each change is in the commit of its tick. `every`: changes are in the commits of each n-th
 * tick. `ephemeral`: each change is in the log, for whoever follows, and none is in a checkpoint.
 */
export type Durability = 'tick' | 'ephemeral' | { readonly every: number };

/** What is kept of it in a schema; `tick` is what is not said. */
export type StoredDurability = Exclude<Durability, 'tick'>;

/** Half an hour at 20 Hz: what is worth less than that is ephemeral. */
export const EVERY_MAX = 36_000;

type Classed = { readonly durability?: StoredDurability };
type Declared = { readonly name: string; readonly spatial?: readonly string[] };

/** Nothing of it is in checkpoints. */
export const isEphemeral = ({ durability }: Classed): boolean => durability === 'ephemeral';

/** In each so many-th tick its changes are told; 1 for all that is told at once. */
export const ticksBetween = ({ durability }: Classed): number =>
  typeof durability === 'object' ? durability.every : 1;

/** As people read it. */
export function durabilityText({ durability }: Classed): string {
  if (durability === undefined) return 'every tick';
  return durability === 'ephemeral' ? durability : `every ${durability.every} ticks`;
}

/**
 * The class as a schema keeps it; undefined for `tick`. Throws `COMPONENT_INVALID` for what is no
 * class, and for one that this component cannot have.
 */
export function checkedDurability(
  { name, spatial }: Declared,
  durability: unknown,
): StoredDurability | undefined {
  if (durability === undefined || durability === 'tick') return undefined;
  const every = everyOf(durability);
  if (durability !== 'ephemeral' && every === undefined) {
    const remedy = `Use 'tick', 'ephemeral' or { every: n }, n a whole number from 1 to ${EVERY_MAX}.`;
    throw refused(name, durability, 'is no class of durability', remedy);
  }
  if (every === 1) return undefined;
  // E1: a position decides which cell an entity is in, so it must be what everybody read.
  if (spatial !== undefined) {
    const remedy = "Leave it 'tick'; put what may be lost into a component of its own.";
    throw refused(name, durability, 'says where entities are, which must be told', remedy);
  }
  // M1: what was received and sent last is what keeps an event from taking effect twice.
  if (name.startsWith('_')) {
    throw refused(name, durability, 'is a component of Leasehold itself', "Leave it 'tick'.");
  }
  return every === undefined ? 'ephemeral' : Object.freeze({ every });
}

function everyOf(durability: unknown): number | undefined {
  if (typeof durability !== 'object' || durability === null) return undefined;
  const { every, ...rest } = durability as { readonly every?: unknown };
  const isWhole = Number.isInteger(every) && Object.keys(rest).length === 0;
  return isWhole && (every as number) >= 1 && (every as number) <= EVERY_MAX
    ? (every as number)
    : undefined;
}

function refused(name: string, durability: unknown, what: string, remedy: string): LeaseholdError {
  const field = `${name}.durability`;
  const value = typeof durability === 'string' ? durability : JSON.stringify(durability);
  const message = `component ${name}: durability ${value}: ${what}`;
  return new LeaseholdError('COMPONENT_INVALID', message, { field, value: String(value), remedy });
}
