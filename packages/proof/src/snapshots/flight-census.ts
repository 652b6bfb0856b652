/**
 * Flights of one snapshot against those of an earlier one. Each says when it left and so when it lands:
 * who is gone must have landed by the later tick, who is new must have left after the earlier one.
 */
import type { Table } from '@leasehold/protocol';

export type FlightCensus = {
  readonly tick: number;
  /** When each leaves and lands, in ticks. Airports do neither. */
  readonly flights: ReadonlyMap<number, { readonly leaves: number; readonly lands: number }>;
};

/** `metresPerTick`: of who flies a metre in a second. */
export function flightsOf(
  tables: readonly Table[],
  tick: number,
  metresPerTick: number,
): FlightCensus {
  const flights = new Map<number, { readonly leaves: number; readonly lands: number }>();
  for (const { schema, columns, ids, masks, count } of tables) {
    const c = schema.components.findIndex(({ name }) => name === 'flight');
    const column = (name: string) =>
      columns[c]?.[schema.components[c]?.fields.findIndex((field) => field.name === name) ?? -1];
    const [left, distance, speed] = ['departedAtTick', 'distanceM', 'speedMps'].map(column);
    for (let row = 0; row < count; row++) {
      const isFlight = Math.floor((masks[row] ?? 0) / 2 ** c) % 2 === 1;
      const leaves = isFlight ? Number(left?.[row]) : Number.NEGATIVE_INFINITY;
      const ticks = Number(distance?.[row]) / (Number(speed?.[row]) * metresPerTick);
      const lands = isFlight ? leaves + ticks : Number.POSITIVE_INFINITY;
      flights.set(ids[row] ?? 0, { leaves, lands });
    }
  }
  return { tick, flights };
}

const SHOWN_MAX = 5;

/** E2: nobody is lost, and nobody comes from nowhere or comes back. */
export function flightFaults(before: FlightCensus, after: FlightCensus): string[] {
  const lost = [...before.flights].filter(
    ([id, { lands }]) => !after.flights.has(id) && lands > after.tick,
  );
  const strange = [...after.flights].filter(
    ([id, { leaves }]) => !before.flights.has(id) && leaves <= before.tick,
  );
  return [...told('lost', lost), ...told('from nowhere', strange)];
}

function told(what: string, of: readonly (readonly [number, unknown])[]): string[] {
  const some = of.slice(0, SHOWN_MAX).map(([id]) => id);
  return of.length === 0 ? [] : [`E2: ${of.length} ${what}: ${some.join(', ')}`];
}
