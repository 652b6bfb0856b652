/** JSON values by chance: such as a schema describes, and such as nobody meant. */
import type { Random } from '@leasehold/kernel';
import { pick } from './draw-deed.ts';
import type { Schema } from './openapi.ts';

const DEPTH_MAX = 6;
const ITEMS_MAX = 6;
/** Above every limit of a number that is in range: nobody is to make a million of anything. */
const MODEST_MAX = 40;

export const NASTY: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e308, 5e-324],
  ...['', ' ', 'x', '\u0000', '\ud800', 'é'.repeat(200), '../..', '%', '%00', '{{x}}', "'; --"],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'NaN',
    'Infinity',
    '-0',
    '1e9',
    '0x10',
    '9'.repeat(30),
  ],
  ...[
    'world',
    'place',
    'lamp',
    'strike',
    'applied',
    '1,2,3,4',
    '5,95',
    '100,50,20',
    'x'.repeat(5_000),
  ],
  ...['place.x,ge,0', 'lamp.name,eq,', 'lamp.note,eq,1', '0,0;9,0;9,9', 'NaN,NaN', '1e400,1', ';;'],
  ...[[], {}, [[]], [null], { x: 1 }, { '': {} }, { constructor: {} }, { toString: 1 }],
];

/** Names of members that nobody declared. */
const NAMES = ['', 'nope', '__proto__', 'constructor', 'toString', 'é', ' ', '0', 'x'.repeat(200)];

/** Words that mean something to a route, by the name under which they are given. */
export type Dictionary = (name: string) => readonly unknown[] | undefined;

export class ValueSource {
  readonly #random: Random;
  readonly #known: Dictionary;

  constructor(random: Random, known: Dictionary) {
    this.#random = random;
    this.#known = known;
  }

  /** Mostly such as the schema describes; `name` is that of the member. */
  draw(schema: Schema, name = '', depth = 0): unknown {
    const random = this.#random;
    if (random.chance(0.02)) return pick(random, NASTY);
    const known = this.#known(name);
    if (known !== undefined && known.length > 0 && random.chance(0.85)) return pick(random, known);
    if (schema.const !== undefined) return schema.const;
    if (schema.anyOf !== undefined) return this.draw(pick(random, schema.anyOf), name, depth);
    if (schema.examples !== undefined && random.chance(0.3)) return pick(random, schema.examples);
    switch (schema.type) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return Array.from(
          { length: random.below((schema.maxItems ?? ITEMS_MAX) % ITEMS_MAX) + 1 },
          () => this.draw(schema.items ?? {}, `${name}[]`, depth + 1),
        );
      case 'integer':
        return this.#integer(schema);
      case 'number':
        return random.between(-100, 100);
      case 'boolean':
        return random.chance(0.5);
      case 'string':
        return this.#text(schema);
      default:
        return depth > DEPTH_MAX ? null : this.#anything(depth);
    }
  }

  /** One place of a value is something else. */
  mutated(value: unknown): unknown {
    const random = this.#random;
    if (typeof value !== 'object' || value === null || random.chance(0.15))
      return pick(random, NASTY);
    if (Array.isArray(value)) {
      const copy: unknown[] = [...value];
      const at = random.below(copy.length + 1);
      copy[at] = this.mutated(copy[at]);
      return random.chance(0.1) ? [...copy, ...copy] : copy;
    }
    const names = Object.keys(value);
    const name = names.length === 0 || random.chance(0.1) ? 'nope' : pick(random, names);
    const { [name]: old, ...rest } = value as Readonly<Record<string, unknown>>;
    if (random.chance(0.25)) return rest;
    if (random.chance(0.1)) return { ...rest, [pick(random, NAMES)]: old };
    return { ...rest, [name]: this.mutated(old) };
  }

  #object(
    { properties = {}, patternProperties = {}, required = [] }: Schema,
    depth: number,
  ): object {
    const random = this.#random;
    const members: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(properties)) {
      if (!required.includes(name) && !random.chance(0.5)) continue;
      members[name] = this.draw(schema, name, depth + 1);
    }
    for (const schema of Object.values(patternProperties)) {
      for (let i = random.below(3); i > 0; i--) {
        const name = pick(random, ['place', 'lamp', 'owner', 'prefab', 'x', 'nope']);
        members[name] = this.draw(schema, name, depth + 1);
      }
    }
    return members;
  }

  #integer({ minimum = -100, maximum = 100 }: Schema): number {
    const random = this.#random;
    if (random.chance(0.1)) return pick(random, [minimum - 1, maximum + 1, minimum]);
    return minimum + random.below(Math.min(MODEST_MAX, maximum - minimum + 1));
  }

  #text({ pattern = '' }: Schema): string {
    const random = this.#random;
    if (pattern.includes('\\d') || pattern.includes('1-9')) return String(1 + random.below(999));
    if (pattern.includes('0-9a-f')) return `${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`;
    return String(
      pick(random, ['a', 'place', 'lamp', 'lamp,place', 'x y', 'é', '0,0,50,50', '', '5']),
    );
  }

  #anything(depth: number): unknown {
    const random = this.#random;
    const what = random.below(8);
    if (what === 0) return { a: this.draw({}, '', depth + 2) };
    if (what === 1) return [this.draw({}, '', depth + 2)];
    return pick(random, [1, -2.5, 'text', true, null, ...NASTY]);
  }
}
