/**
 * One lane: a client that has entities of its own and asks one thing after the other, so that a model
 * knows what each answer must be, whatever other lanes do meanwhile.
 */
import { deepStrictEqual } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@leasehold/kernel';
import type { Asker } from './asking.ts';
import { DeedSource, pick } from './draw-deed.ts';
import type { Answer, Sent } from './http.ts';
import { type Deed, type Entity, Model, type Outcome } from './model.ts';

const STATUS: Readonly<Record<Exclude<Outcome, ''>, number>> = {
  ENTITY_UNKNOWN: 404,
  MATCH_FAILED: 412,
};
const PAST_MAX = 50;
/** Who is on the way between two cells is on no page for a moment; a killed pod makes it longer. */
const EVENTUALLY_MS_MAX = 30_000;
const LOOK_MS = 25;
const PAGE = 7;

type Past = { readonly sent: Sent; readonly status: number; readonly text: string };

export class Lane {
  readonly model = new Model();
  readonly counts = new Map<string, number>();
  readonly #number: number;
  readonly #path: string;
  readonly #asker: Asker;
  readonly #random: Random;
  readonly #deeds: DeedSource;
  readonly #ids = new Map<number, number>();
  readonly #tags = new Map<number, string>();
  readonly #past: Past[] = [];
  #keys = 0;

  constructor(number: number, world: string, asker: Asker, random: Random) {
    this.#number = number;
    this.#path = `/v1/worlds/${world}`;
    this.#asker = asker;
    this.#random = random;
    this.#deeds = new DeedSource(random, number);
  }

  /** One operation. Throws when the product is not as the model. */
  async step(): Promise<void> {
    const random = this.#random;
    const draw = random.float();
    if (draw < 0.12) return this.#read();
    if (draw < 0.18) return this.#query();
    if (draw < 0.2) return this.#queryBox();
    if (draw < 0.27 && this.#past.length > 0) return this.#repeat();
    if (draw < 0.32 && this.#past.length > 0) return this.#reuse();
    return this.#act();
  }

  /** All of its entities, and no others. Throws when the product is not as the model. */
  async compare(): Promise<void> {
    const query = `?world&where=owner.lane,eq,${this.#number}`;
    await this.#eventually(async () =>
      deepStrictEqual(await this.#page(query), sorted(this.model.alive)),
    );
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  async #act(): Promise<void> {
    const random = this.#random;
    const deed = this.#deeds.draw(this.model);
    const isWaiting = random.chance(0.8);
    const path = await this.#requestOf(deed);
    if (path === undefined) return this.#read();
    const outcome = this.model.apply(deed);
    this.#count(outcome === '' ? deed.kind : outcome);
    const key = `lane-${this.#number}-${this.#keys++}`;
    const headers = { ...json(path.body), ...path.headers, 'idempotency-key': key };
    const query = isWaiting ? '?wait=applied' : '';
    const sent = { ...path, path: `${path.path}${query}`, headers };
    const answer = await this.#asker.ask(sent);
    const isRefusedLater = !isWaiting && outcome === 'MATCH_FAILED';
    if (outcome === '' || isRefusedLater) {
      const status = isWaiting ? (deed.kind === 'create' ? 201 : 200) : 202;
      this.#fits(answer, status, '', sent);
      if (!isWaiting) await this.#settled(answer, isRefusedLater ? outcome : '');
    } else this.#fits(answer, STATUS[outcome], outcome, sent);
    this.#note(deed, answer, outcome);
    // What found nobody decided nothing, so its key is free.
    if (outcome === 'ENTITY_UNKNOWN') return;
    this.#past.push({ sent, status: answer.status, text: answer.text });
    if (this.#past.length > PAST_MAX) this.#past.splice(random.below(PAST_MAX), 1);
  }

  #note(deed: Deed, { text }: Answer, outcome: Outcome): void {
    if (deed.kind === 'create') {
      const { entities } = JSON.parse(text) as { readonly entities: readonly number[] };
      for (const [i, { owner }] of deed.entities.entries()) {
        this.#ids.set(owner.number, entities[i] ?? -1);
      }
    } else if (outcome === '') this.#tags.delete(deed.number);
  }

  /** Undefined where an entity tag is wanted that nobody has. */
  async #requestOf(deed: Deed): Promise<Sent | undefined> {
    if (deed.kind === 'create') {
      const entities = deed.entities.map((components) => ({ components }));
      const [only] = entities;
      const body = JSON.stringify(entities.length === 1 ? only : { entities });
      return { method: 'POST', path: `${this.#path}/entities`, body };
    }
    const id = this.#idOf(deed.number);
    if (deed.kind === 'strike') {
      const payload = { times: deed.times };
      const body = JSON.stringify({ entity: id, event: 'strike', payload });
      return { method: 'POST', path: `${this.#path}/events`, body };
    }
    const headers = await this.#matchOf(deed);
    if (headers === undefined) return undefined;
    const path = `${this.#path}/entities/${id}`;
    if (deed.kind === 'delete') return { method: 'DELETE', path, headers };
    const { remove, ...set } = deed.patch;
    const body = JSON.stringify({ set, ...(remove === undefined ? {} : { remove }) });
    return { method: 'PATCH', path, headers, body };
  }

  async #matchOf({
    match,
    number,
  }: Extract<Deed, { kind: 'patch' | 'delete' }>): Promise<
    Readonly<Record<string, string>> | undefined
  > {
    if (match === 'none') return {};
    // A tag of an entity as it never was.
    if (match === 'stale') return { 'if-match': `"${'0'.repeat(16)}.place"` };
    if (!this.model.alive.has(number)) return undefined;
    const { headers } = await this.#get(`/entities/${this.#idOf(number)}`);
    return { 'if-match': String(headers['etag']) };
  }

  #idOf(number: number): number {
    return this.#ids.get(number) ?? -1;
  }

  /** What was taken is applied, or refused as it must be. */
  async #settled({ text }: Answer, outcome: Outcome): Promise<void> {
    const { request } = JSON.parse(text) as { readonly request: string };
    const wanted = outcome === '' ? { state: 'applied' } : { state: 'refused', code: outcome };
    await this.#eventually(async () => {
      const answer = await this.#get(`/requests/${request}`);
      const { state, refusal } = JSON.parse(answer.text);
      const code = refusal === undefined ? {} : { code: refusal.code };
      deepStrictEqual({ state, ...code }, wanted);
    });
  }

  /** The same request again, long after it was answered. */
  async #repeat(): Promise<void> {
    this.#count('repeated');
    const past = pick(this.#random, this.#past);
    const answer = await this.#asker.ask(past.sent);
    deepStrictEqual({ status: answer.status, text: codeOf(answer) || answer.text }, told(past));
    const isReplayed = answer.headers['idempotency-replayed'] === 'true';
    if (answer.status < 400 && !isReplayed) throw new Error('a repetition was done once more');
  }

  /** Another request with a key that was used: refused, and nothing of it is done. */
  async #reuse(): Promise<void> {
    this.#count('reused');
    const { sent } = pick(this.#random, this.#past);
    const other = {
      components: { place: { x: 1, y: 1 }, owner: { lane: this.#number, number: -1 } },
    };
    const body = JSON.stringify(other);
    const path = `${this.#path}/entities?wait=applied`;
    const key = sent.headers?.['idempotency-key'] ?? '';
    const headers = { ...json(body), 'idempotency-key': key };
    const asked = { method: 'POST', path, body, headers };
    this.#fits(await this.#asker.ask(asked), 422, 'IDEMPOTENCY_MISMATCH', asked);
  }

  async #read(): Promise<void> {
    const random = this.#random;
    const { alive, dead } = this.model;
    const numbers = random.chance(0.1) ? [...dead] : [...alive.keys()];
    if (numbers.length === 0) return this.#query();
    this.#count('read');
    const number = pick(random, numbers);
    const path = `${this.#path}/entities/${this.#idOf(number)}`;
    const answer = await this.#asker.once({ method: 'GET', path });
    const entity = alive.get(number);
    if (entity === undefined) {
      this.#fits(answer, 404, 'ENTITY_UNKNOWN', { method: 'GET', path });
      return;
    }
    this.#fits(answer, 200, '', { method: 'GET', path });
    const { id, components } = JSON.parse(answer.text);
    deepStrictEqual({ id, ...components }, { id: this.#idOf(number), ...entity });
    const tag = String(answer.headers['etag']);
    // A tag that was read before the last change names something else than one read after it.
    const before = this.#tags.get(number);
    if (before !== undefined && before !== tag) throw new Error(`${path}: ${before} became ${tag}`);
    this.#tags.set(number, tag);
    const known = { 'if-none-match': tag };
    const again = await this.#asker.once({ method: 'GET', path, headers: known });
    this.#fits(again, 304, '', { method: 'GET', path });
  }

  async #query(): Promise<void> {
    this.#count('query');
    await this.compare();
  }

  async #queryBox(): Promise<void> {
    this.#count('query');
    const [x, y] = [this.#random.below(150), this.#random.below(60)];
    const query = `?box=${x},${y},${x + 50},${y + 40}&where=owner.lane,eq,${this.#number}`;
    const inside = [...this.model.alive].filter(
      ([, { place }]) => place.x >= x && place.x <= x + 50 && place.y >= y && place.y <= y + 40,
    );
    await this.#eventually(async () =>
      deepStrictEqual(await this.#page(query), sorted(new Map(inside))),
    );
  }

  async #page(query: string): Promise<Map<number, Entity>> {
    const found = new Map<number, Entity>();
    for (let cursor = ''; ; ) {
      const { text } = await this.#get(`/entities${query}&limit=${PAGE}${cursor}`);
      const { entities, next } = JSON.parse(text) as {
        readonly entities: readonly { readonly id: number; readonly components: Entity }[];
        readonly next?: string;
      };
      for (const { id, components } of entities) {
        const { number } = components.owner;
        if (this.#idOf(number) !== id) throw new Error(`${id} is not the id of number ${number}`);
        found.set(number, components);
      }
      if (next === undefined) return sorted(found);
      cursor = `&cursor=${next}`;
    }
  }

  async #get(path: string): Promise<Answer> {
    const sent = { method: 'GET', path: `${this.#path}${path}` };
    const answer = await this.#asker.once(sent);
    this.#fits(answer, 200, '', sent);
    return answer;
  }

  async #eventually(look: () => Promise<void>): Promise<void> {
    const endMs = performance.now() + EVENTUALLY_MS_MAX;
    for (;;) {
      try {
        return await look();
      } catch (error) {
        if (performance.now() > endMs) throw error;
      }
      await sleep(LOOK_MS);
    }
  }

  #fits(answer: Answer, status: number, code: string, sent: Sent): void {
    if (answer.status === status && codeOf(answer) === code) return;
    const { method, path, body = '', headers = {} } = sent;
    const what = `${method} ${path} ${JSON.stringify(headers)} ${body}`;
    throw new Error(`${what}: ${answer.status} ${answer.text}, and not ${status} ${code}`);
  }
}

const json = (body: unknown): Readonly<Record<string, string>> =>
  body === undefined ? {} : { 'content-type': 'application/json' };

const sorted = (entities: ReadonlyMap<number, Entity>): Map<number, Entity> =>
  new Map([...entities].sort(([a], [b]) => a - b));

/** Of a refusal the code counts; how it is worded may differ. */
const told = ({ status, text }: Past) => ({ status, text: codeOf({ status, text }) || text });

function codeOf({ status, text }: Pick<Answer, 'status' | 'text'>): string {
  if (status < 400) return '';
  return String((JSON.parse(text) as { readonly code?: string }).code);
}
