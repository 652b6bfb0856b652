/**
 * Events: named, versioned messages to an entity, wherever it is. An event is a function that makes
 * values of itself for `emit`; a system takes it with `on`.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { Json } from '@leasehold/protocol';
import { component, type Fields, type Values } from './component.ts';
import { entity, printable, string } from './kinds.ts';

/** An event whatever its fields, as declarations take it. */
export interface AnyEvent<F extends Fields = Fields> {
  readonly event: string;
  readonly version: number;
  readonly fields: F;
  /**
   * The values of a payload that came from elsewhere, checked; fields that it lacks are at their
   * initial values. Throws `FIELD_KIND_MISMATCH`.
   */
  read(payload: Readonly<Record<string, Json>>): EventValue;
}

/** An event type; called, it makes a value. Fields that are not given are at their initial values. */
export interface Event<F extends Fields = Fields> extends AnyEvent<F> {
  (values?: Partial<Values<F>>): EventValue;
}

/** Events under the name by which a system's `each` receives them. */
export type Events = Readonly<Record<string, AnyEvent>>;

/** An event with its values: what `emit` takes. */
export class EventValue {
  readonly type: AnyEvent;
  /** By field name, frozen. */
  readonly payload: Readonly<Record<string, Json>>;

  constructor(type: AnyEvent, payload: Readonly<Record<string, Json>>) {
    this.type = type;
    this.payload = payload;
  }
}

/** What a system's `each` receives of an event. */
export type EventRow<E extends AnyEvent> = Values<E['fields']>;

/**
 * Declares an event: `event('bite', 1, { strength: f64 })`.
 *
 * Numbers must be finite; the whole payload stays below a few kilobytes, since it travels through
 * channels. `version` is a whole number from 1: raise it when the fields change; one that is under
 * way is then read by field name.
 *
 * Errors: `NAME_INVALID`, `COMPONENT_INVALID`, `FIELD_KIND_MISMATCH` for what is declared, and
 * `FIELD_KIND_MISMATCH` for a value with an unknown field or a wrong kind.
 */
export function event<const N extends string, F extends Fields>(
  name: N,
  version: number,
  fields: F,
): Event<F> {
  // The rules of names, kinds and initial values are those of components.
  const like = component(name, version, fields);
  const make = (values: Partial<Values<F>> = {}): EventValue => {
    const row = like(values).values;
    const payload: Record<string, Json> = {};
    for (let f = 0; f < row.length; f++) {
      const field = like.schema.fields[f]?.name ?? '';
      payload[field] = finite(`${name}.${field}`, row[f] as Json);
    }
    return new EventValue(declared, Object.freeze(payload));
  };
  const read = (payload: Readonly<Record<string, Json>>): EventValue =>
    make(payload as Partial<Values<F>>);
  const declared: Event<F> = Object.assign(make, { event: name, version, fields, read });
  Object.defineProperty(declared, 'name', { value: name });
  return Object.freeze(declared);
}

function finite(field: string, value: Json): Json {
  // On the wire −0 is 0.
  if (typeof value !== 'number') return value;
  if (Number.isFinite(value)) return value === 0 ? 0 : value;
  throw new LeaseholdError('FIELD_KIND_MISMATCH', `${field} is ${printable(value)}`, {
    field,
    value: printable(value),
    remedy: 'Send finite numbers only.',
  });
}

/**
 * The negative answer: what an entity emitted found nobody. It comes to the one that emitted it, if
 * a system takes it with `on`. `reason`: GONE, FAR, POISON, LATE, FULL or INVALID.
 */
export const Undelivered: Event<{
  readonly to: typeof entity;
  readonly event: typeof string;
  readonly reason: typeof string;
}> = event('undelivered', 1, { to: entity, event: string, reason: string });
