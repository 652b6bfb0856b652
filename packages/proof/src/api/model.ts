/**
 * What the API promises, as one who does one thing after the other would have it: each request of a
 * key is done once, and refused with another body. Pure: no store, no network, no clock.
 */

export type Lamp = {
  readonly isLit: boolean;
  readonly name: string;
  readonly strikes: number;
  readonly note: unknown;
};

export type Entity = {
  readonly place: { readonly x: number; readonly y: number };
  readonly owner: { readonly lane: number; readonly number: number };
  readonly lamp?: Lamp;
};

/** What is asked of entities, by their numbers: ids are the product's. */
export type Deed =
  | { readonly kind: 'create'; readonly entities: readonly Entity[] }
  | {
      readonly kind: 'patch';
      readonly number: number;
      readonly match: Match;
      readonly patch: Patch;
    }
  | { readonly kind: 'delete'; readonly number: number; readonly match: Match }
  | { readonly kind: 'strike'; readonly number: number; readonly times: number };

/** Whether a change is made only as the entity was read: now, or before its last change. */
export type Match = 'none' | 'fresh' | 'stale';

export type Patch = {
  readonly place?: { readonly x: number; readonly y: number };
  readonly lamp?: Partial<Lamp>;
  readonly remove?: readonly 'lamp'[];
};

/** Code of a refusal; '' = it is done. */
export type Outcome = '' | 'ENTITY_UNKNOWN' | 'MATCH_FAILED';

const DARK: Lamp = { isLit: false, name: '', strikes: 0, note: null };

export class Model {
  readonly #alive = new Map<number, Entity>();
  readonly #dead = new Set<number>();

  get alive(): ReadonlyMap<number, Entity> {
    return this.#alive;
  }

  get dead(): ReadonlySet<number> {
    return this.#dead;
  }

  /** Does it, and says what is to be answered. */
  apply(deed: Deed): Outcome {
    if (deed.kind === 'create') {
      for (const entity of deed.entities) this.#alive.set(entity.owner.number, entity);
      return '';
    }
    const { number } = deed;
    const entity = this.#alive.get(number);
    if (entity === undefined) return 'ENTITY_UNKNOWN';
    if ('match' in deed && deed.match === 'stale') return 'MATCH_FAILED';
    if (deed.kind === 'delete') {
      this.#alive.delete(number);
      this.#dead.add(number);
    } else this.#alive.set(number, changed(entity, deed));
    return '';
  }
}

function changed(entity: Entity, deed: Extract<Deed, { kind: 'patch' | 'strike' }>): Entity {
  if (deed.kind === 'strike') {
    const { lamp } = entity;
    if (lamp === undefined) return entity;
    return { ...entity, lamp: { ...lamp, strikes: (lamp.strikes + deed.times) | 0 } };
  }
  const { place = entity.place, lamp: set, remove = [] } = deed.patch;
  const { owner } = entity;
  if (remove.includes('lamp')) return { owner, place };
  const lamp = set === undefined ? entity.lamp : { ...(entity.lamp ?? DARK), ...set };
  return { owner, place, ...(lamp === undefined ? {} : { lamp }) };
}
