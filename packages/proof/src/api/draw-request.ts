/**
 * Requests by chance, as the description of the API allows them and as it does not: other methods,
 * types, headers, bodies that are cut off, flipped, nested, or no JSON at all.
 */
import { createHmac } from 'node:crypto';
import type { Random } from '@leasehold/kernel';
import { pick } from './draw-deed.ts';
import { NASTY, ValueSource } from './draw-value.ts';
import type { Sent } from './http.ts';
import { isOfSnapshots, type Operation, type Parameter } from './openapi.ts';
import { PREFAB, WEBHOOK_SECRET } from './stand.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const TYPES = [
  ...['application/json', 'application/json; charset=latin1', 'APPLICATION/JSON', 'text/plain'],
  ...[
    'application/x-ndjson',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ],
  ...['application/octet-stream', 'nonsense', '', 'application/problem+json', ';', 'a/b/c'],
];
const ACCEPTS = ['application/x-ndjson', 'application/json', '*/*', 'text/html;q=0.1', ',;,'];
/** Beyond what is kept of one body, and beyond what its parser may follow. */
const BIG = 70 * 1024;
const DEEP = 20_000;
/** Above what most routes take: a whole one is rare, as it is slow to send. */
const HUGE = 5 * 1024 * 1024;

export type Known = {
  /** Of the world that time passes in; `clock`: one whose time is stopped and let go on. */
  readonly world: string;
  readonly clock: string;
  readonly ids: number[];
  readonly requests: string[];
  readonly jobs: string[];
};

/** What was drawn, and which operation it was made of. */
export type Drawn = Sent & { readonly operation: Operation };

export class RequestSource {
  readonly #random: Random;
  readonly #known: Known;
  readonly #values: ValueSource;
  readonly #operations: readonly Operation[];
  readonly #rare: readonly Operation[];

  constructor(random: Random, operations: readonly Operation[], known: Known) {
    this.#random = random;
    this.#known = known;
    this.#values = new ValueSource(random, (name) => this.#words(name));
    const isRare = (each: Operation): boolean => isTimed(each.id) || isOfSnapshots(each);
    this.#rare = operations.filter(isRare);
    this.#operations = operations.filter((each) => !isRare(each));
  }

  draw(): Drawn {
    const random = this.#random;
    // Whoever stops time makes others wait, so that is done seldom, and in a world of its own; so is
    // what can only be refused.
    const operation = pick(random, random.chance(0.02) ? this.#rare : this.#operations);
    const method = random.chance(0.03) ? pick(random, METHODS) : operation.method;
    const path = this.#path(operation);
    const hasBody = operation.bodies.size > 0 ? random.chance(0.97) : random.chance(0.03);
    const { type, body } = hasBody ? this.#body(operation) : { type: undefined, body: undefined };
    const headers = {
      ...this.#headers(operation),
      ...(type === undefined ? {} : { 'content-type': type }),
    };
    const signed = operation.id === 'pushPrefabs' && random.chance(0.5) ? signature(body) : {};
    const sent = { method, path, headers: { ...headers, ...signed } };
    return { operation, ...sent, ...(body === undefined ? {} : { body }) };
  }

  #path({ id, path, parameters }: Operation): string {
    const random = this.#random;
    const { world, clock } = this.#known;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      if (name === 'world' && random.chance(0.97)) return isTimed(id) ? clock : world;
      const parameter = parameters.find((each) => each.in === 'path' && each.name === name);
      const value = random.chance(0.15) ? pick(random, NASTY) : this.#parameter(parameter, name);
      return encoded(value) || 'x';
    });
    const query: string[] = [];
    for (const parameter of parameters) {
      if (parameter.in !== 'query' || !random.chance(this.#chanceOf(parameter))) continue;
      const value = random.chance(0.15)
        ? pick(random, NASTY)
        : this.#parameter(parameter, parameter.name);
      query.push(`${parameter.name}=${encoded(value)}`);
      if (random.chance(0.02)) query.push(`${parameter.name}=${encoded(value)}`);
    }
    if (random.chance(0.02))
      query.push(pick(random, ['nope=1', '=', '&&', '%', 'a[b]=c', '__proto__=1']));
    if (random.chance(0.01)) return `${filled}/${pick(random, ['', '..', '%', '%2e%2e', 'x'])}`;
    return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
  }

  /** Of the areas of a query exactly one is to be there, and who waits makes everything slower. */
  #chanceOf({ name, required }: Parameter): number {
    if (required) return 0.97;
    return name === 'wait' ? 0.1 : 0.2;
  }

  #parameter(parameter: Parameter | undefined, name: string): unknown {
    const words = this.#words(name);
    if (words !== undefined && words.length > 0 && this.#random.chance(0.8)) {
      return pick(this.#random, words);
    }
    return this.#values.draw(parameter?.schema ?? {}, name);
  }

  #headers({ parameters }: Operation): Record<string, string> {
    const random = this.#random;
    const headers: Record<string, string> = {};
    for (const parameter of parameters) {
      if (parameter.in !== 'header' || !random.chance(0.2)) continue;
      const value = random.chance(0.2)
        ? pick(random, NASTY)
        : this.#parameter(parameter, parameter.name);
      headers[parameter.name] = printable(value);
    }
    if (random.chance(0.1)) headers['accept'] = pick(random, ACCEPTS);
    if (random.chance(0.01)) headers['origin'] = pick(random, ['http://evil.example', 'null', 'x']);
    if (random.chance(0.01)) headers['host'] = pick(random, ['evil.example', '', 'a b', '[::1]']);
    if (random.chance(0.01)) headers['content-encoding'] = 'gzip';
    if (random.chance(0.01)) headers['expect'] = '100-continue';
    if (random.chance(0.005)) headers['x-big'] = 'x'.repeat(pick(random, [8_000, 20_000]));
    return headers;
  }

  #body({ bodies }: Operation): { readonly type?: string; readonly body: string | Uint8Array } {
    const random = this.#random;
    const [type, { schema, examples }] = pick(random, [
      ...bodies,
      ...(bodies.size === 0 ? [['application/json', { schema: {}, examples: [] }] as const] : []),
    ]);
    const given = random.chance(0.05) ? pick(random, TYPES) : type;
    const text =
      type.endsWith('json') && !type.includes('ndjson')
        ? this.#json(schema, examples)
        : this.#lines();
    const body = random.chance(0.06) ? this.#broken(text) : text;
    return random.chance(0.01) ? { body } : { type: given, body };
  }

  #json(schema: Parameter['schema'], examples: readonly unknown[]): string {
    const random = this.#random;
    const isExample = examples.length > 0 && random.chance(0.15);
    const value = isExample ? pick(random, examples) : this.#values.draw(schema);
    return JSON.stringify(random.chance(0.35) ? this.#values.mutated(value) : value) ?? 'null';
  }

  #lines(): string {
    const random = this.#random;
    const lines = Array.from({ length: random.below(8) }, () => {
      const value = { components: pick(random, this.#words('components') ?? []) };
      return JSON.stringify(random.chance(0.05) ? this.#values.mutated(value) : value);
    });
    return lines.join(random.chance(0.95) ? '\n' : pick(random, ['\r\n', '\n\n', ',', '']));
  }

  #broken(text: string): string | Uint8Array {
    const random = this.#random;
    const bytes = Buffer.from(text);
    switch (random.below(9)) {
      case 0:
        return bytes.subarray(0, random.below(bytes.length + 1));
      case 1:
        if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
        return bytes;
      case 2:
        return `\ufeff${text}`;
      case 3:
        return `{"components":{"lamp":{"note":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}}}`;
      case 4:
        return `{"components":{"place":{"x":1e400,"y":-1e400}}}`;
      case 5:
        return `{"components":{"place":{"x":1,"x":2}},"__proto__":{"a":1}}`;
      case 6:
        return `{"components":{"lamp":{"name":"${'x'.repeat(BIG)}"}}}`;
      case 7:
        return random.chance(0.05) ? ' '.repeat(HUGE) : '';
      default:
        return `{"components":{"place":{"x":5,"y":5},"lamp":{"note":${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}}}}`;
    }
  }

  /** Words of this world, so that most of a request is right and one part of it wrong. */
  #words(name: string): readonly unknown[] | undefined {
    const { ids, requests, jobs, world } = this.#known;
    const id = pick(this.#random, ids);
    switch (name) {
      case 'id':
      case 'entity':
      case 'cursor':
        return [id];
      case 'request':
        return requests.slice(-20);
      case 'job':
        return jobs.slice(-20);
      case 'name':
        return [PREFAB, PREFAB, PREFAB, 'nope'];
      case 'around':
        return [`${id},20`];
      case 'world':
        return ['', world];
      default:
        return WORDS[name];
    }
  }
}

const isTimed = (id: string): boolean => /^(pause|resume|step)World$/.test(id);

const PLACES = [5, 30, 99.5, 150.25].map((x) => ({ x, y: x / 2 }));
const WORDS: Readonly<Record<string, readonly unknown[]>> = {
  components: [
    ...PLACES.map((place) => ({ place })),
    { place: PLACES[0], lamp: { name: 'a', note: { deep: [1] }, isLit: true, strikes: 1 } },
    { place: { x: 1e300, y: -1e300 } },
    { lamp: {} },
    'place',
    'lamp,place',
  ],
  set: [
    { lamp: { name: 'b' } },
    { place: { x: 1 } },
    { lamp: { note: null } },
    { owner: { lane: 1 } },
  ],
  remove: [['lamp'], ['place'], ['nope'], []],
  event: ['strike', 'strike', 'nope'],
  payload: [{}, { times: 2 }, { times: 'x' }, { nope: 1 }],
  count: [1, 2, 10, 513],
  ticks: [1, 2, 3],
  limit: ['1', '5', '50'],
  where: ['lamp.strikes,ge,0', 'place.x,lt,50', 'lamp.name,eq,a', 'lamp.isLit,ne,true'],
  with: ['lamp', 'place,lamp', 'nope'],
  box: ['0,0,50,50', '190,90,210,110'],
  circle: ['50,50,20'],
  polygon: ['0,0;50,0;50,50'],
  near: ['50,50'],
  radius: ['20'],
  area: [{ world: '' }, { box: '1,1,60,60' }, { circle: '50,50,20' }, { circle: '5,5' }],
  'idempotency-key': ['a', 'b', 'c', 'd'],
  'if-match': ['*', '"0000000000000000.lamp"', '"x"'],
  'if-none-match': ['*', 'W/"x"', ',,,'],
};

function encoded(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return encodeURIComponent(text.toWellFormed());
}

/** A header has no other characters. */
const printable = (value: unknown): string =>
  (typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(
    /[^\x20-\x7e\xa0-\xff]/g,
    '?',
  );

function signature(body: string | Uint8Array = ''): Readonly<Record<string, string>> {
  const digest = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
  return { 'x-hub-signature-256': `sha256=${digest}` };
}
