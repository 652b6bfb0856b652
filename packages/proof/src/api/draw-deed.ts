/** What is asked next, by chance: mostly what can be done, sometimes what cannot. */
import type { Random } from '@leasehold/kernel';
import type { Deed, Entity, Lamp, Match, Model, Patch } from './model.ts';
import { SPACE } from './stand.ts';

const ENTITIES_MAX = 12;
/** Living ones of a lane, so that what is asked meets entities that have a past. */
const ALIVE_MAX = 40;
const NOTES: readonly unknown[] = [null, 0, 'a', { deep: [1, { x: -0.5 }] }, [], { '': 'é' }];

export class DeedSource {
  readonly #random: Random;
  readonly #lane: number;
  #next = 0;

  constructor(random: Random, lane: number) {
    this.#random = random;
    this.#lane = lane;
  }

  draw({ alive, dead }: Model): Deed {
    const random = this.#random;
    const gone = [...dead];
    const number =
      gone.length > 0 && random.chance(0.04) ? pick(random, gone) : this.#living([...alive.keys()]);
    if (number === undefined) return this.#create();
    const what = random.below(10);
    const match = this.#match();
    if (what < 2 && alive.size < ALIVE_MAX) return this.#create();
    if (what < 3) return { kind: 'delete', number, match };
    const entity = alive.get(number);
    const canStrike = entity === undefined || entity.lamp !== undefined;
    if (what < 6 && canStrike) return { kind: 'strike', number, times: 1 + random.below(1_000) };
    return { kind: 'patch', number, match, patch: this.#patch(entity) };
  }

  #living(numbers: readonly number[]): number | undefined {
    return numbers.length === 0 ? undefined : pick(this.#random, numbers);
  }

  /** Without a number there is nothing that could have been read. */
  #match(): Match {
    const random = this.#random;
    return random.chance(0.7) ? 'none' : random.chance(0.6) ? 'fresh' : 'stale';
  }

  #create(): Deed {
    const random = this.#random;
    const count = random.chance(0.6) ? 1 : 1 + random.below(ENTITIES_MAX);
    const entities = Array.from({ length: count }, (): Entity => {
      const owner = { lane: this.#lane, number: this.#next++ };
      const lamp = random.chance(0.8) ? { lamp: this.#lamp() } : {};
      return { place: this.#place(), owner, ...lamp };
    });
    return { kind: 'create', entities };
  }

  #place(): { readonly x: number; readonly y: number } {
    const random = this.#random;
    return { x: random.between(0, SPACE.width), y: random.between(0, SPACE.height) };
  }

  #lamp(): Lamp {
    const random = this.#random;
    return {
      isLit: random.chance(0.5),
      name: pick(random, ['', 'a', 'é'.repeat(3), '"\\\u0000', 'name']),
      strikes: random.below(1_000_000) - 500_000,
      note: pick(random, NOTES),
    };
  }

  #patch(entity: Entity | undefined): Patch {
    const random = this.#random;
    if (entity?.lamp !== undefined && random.chance(0.1)) return { remove: ['lamp'] };
    const { isLit, name, note } = this.#lamp();
    const lamp = pick(random, [{ isLit }, { name }, { note }, { isLit, name }]);
    if (random.chance(0.6)) return { lamp };
    return random.chance(0.5) ? { place: this.#place() } : { place: this.#place(), lamp };
  }
}

export function pick<T>(random: Random, of: readonly T[]): T {
  return of[random.below(of.length)] as T;
}
