/**
 * Flights of one snapshot against those of an earlier one. Each says when it left and so when it lands:
 * who is gone must have landed by the later tick. And a cell counts whom it bore: who is new must have
 * come after those whom its airport had sent before.
 */
import { bearerOf, counterOf } from '@leasehold/kernel';
import type { Table } from '@leasehold/protocol';

export type FlightCensus = {
  readonly tick: number;
  /** The last id that each cell bore. */
  readonly counters: ReadonlyMap<number, number>;
  /** When each lands, in ticks. Airports never do. */
  readonly lands: ReadonlyMap<number, number>;
};

/** `metresPerTick`: of who flies a metre in a second. */
export function flightsOf(tables: readonly Table[], metresPerTick: number): FlightCensus['lands'] {
  const landing = new Map<number, number>();
  for (const { schema, columns, ids, masks, count } of tables) {
    const c = schema.components.findIndex(({ name }) => name === 'flight');
    const column = (name: string) =>
      columns[c]?.[schema.components[c]?.fields.findIndex((field) => field.name === name) ?? -1];
    const [left, distance, speed] = ['departedAtTick', 'distanceM', 'speedMps'].map(column);
    for (let row = 0; row < count; row++) {
      const isFlight = Math.floor((masks[row] ?? 0) / 2 ** c) % 2 === 1;
      const ticks = Number(distance?.[row]) / (Number(speed?.[row]) * metresPerTick);
      const lands = isFlight ? Number(left?.[row]) + ticks : Number.POSITIVE_INFINITY;
      landing.set(ids[row] ?? 0, lands);
    }
  }
  return landing;
}

const SHOWN_MAX = 5;

/** E2: nobody is lost, and nobody comes from nowhere or comes back. */
export function flightFaults(before: FlightCensus, after: FlightCensus): string[] {
  const lost = [...before.lands].filter(([id, at]) => !after.lands.has(id) && at > after.tick);
  const strange = [...after.lands].filter(([id]) => {
    const last = before.counters.get(bearerOf(id)) ?? 0;
    return !before.lands.has(id) && counterOf(id) <= last;
  });
  return [...told('lost', lost), ...told('from nowhere', strange)];
}

function told(what: string, of: readonly (readonly [number, number])[]): string[] {
  const some = of.slice(0, SHOWN_MAX).map(([id]) => id);
  return of.length === 0 ? [] : [`E2: ${of.length} ${what}: ${some.join(', ')}`];
}
