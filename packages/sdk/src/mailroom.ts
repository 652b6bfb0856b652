/**
 * The letters of one cell in one tick: what came, to whom it goes, what is sent on, and what nobody
 * can take. A letter is in exactly one place at any time: a channel or inbox beyond its reader's
 * cursor, or an entity that holds it back (M1).
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  addressOf,
  type EntityRequest,
  type Letter,
  type RefusalCode,
  type RequestAnswer,
  ROWS_MAX,
  type Table,
  type Undelivered,
} from '@leasehold/protocol';
import { ENDED, type Placement, type Requests } from './births.ts';
import { type AnyEvent, Undelivered as UndeliveredEvent } from './event.ts';
import { layerFor, type MailLayers, splitPatch } from './layer-requests.ts';
import { LetterOrder } from './letter-order.ts';
import { applyPatch, checkNewEntities, checkPatch, matches } from './patch.ts';
import type { Delivery } from './running.ts';

/** What all cells of an engine know of letters. */
export type MailKit = {
  readonly placement: Placement;
  /** Events that some system takes or sends, by name. */
  readonly events: ReadonlyMap<string, AnyEvent>;
  readonly tickHz: number;
  /** Whether some system wants to know what found nobody. */
  readonly takesUndelivered: boolean;
  /** Undefined in a world of one layer. */
  readonly layers: MailLayers | undefined;
};

/** A post to the cell's inbox, understood. */
export type PostedRequest = { readonly id: string; readonly request: EntityRequest };

export type MailInput = {
  readonly tick: number;
  readonly letters: readonly Letter[];
  readonly requests: readonly PostedRequest[];
  /** Posts that say nothing that can be understood. */
  readonly malformed?: readonly { readonly id: string; readonly error: LeaseholdError }[];
  /** Lockstep: who is where is known exactly, and nothing may depend on when a reader came (T1). */
  readonly isExact: boolean;
  /** How often this tick was tried before, by this holder or by others who died. */
  readonly tries: number;
};

/**
 * Letters go to the cell that has their entity in the tick in which they are emitted, and are sent on
 * as fast as it goes: where they come it has left at most so many ticks before.
 */
const TRAIL_TICKS_EXACT = 2;
/** In lockstep so many may die on a tick before its letters are looked at one by one. */
const EXACT_TRIES = 2;
/** In realtime readers may lag. */
const TRAIL_TICKS_MAX = 64;
const NONE: readonly Delivery[] = [];
/** PERF: shared, since an empty map takes 184 bytes, and most cells of a large world get no letter. */
const NOWHERE: ReadonlyMap<number, Letter[]> = new Map();
const NO_INPUT: MailInput = { tick: 0, letters: [], requests: [], isExact: false, tries: 0 };

/** Where somebody is, as far as the cell can see. */
export type CellFinders = {
  /** In which of the cells around, in this layer. */
  readonly cellOf: (id: number) => number | undefined;
  /** In which of them, or in this one, the layer that says who is where has it in this tick. */
  readonly homeOf: (id: number) => number | undefined;
};

export class Mailroom {
  readonly far: Letter[] = [];
  readonly dead: Undelivered[] = [];
  readonly answers: { readonly id: string; readonly answer: RequestAnswer }[] = [];
  /** Rows that something reached with this tick. */
  readonly touched: number[] = [];
  readonly #kit: MailKit;
  readonly #cell: number;
  readonly #order: LetterOrder | undefined;
  #onward: Map<number, Letter[]> | undefined;
  /** Where those who left went, oldest first. */
  #trail: Map<number, { readonly to: number; readonly tick: number }> | undefined;
  /** In lockstep: what senders are to be told of. Elsewhere whoever brings letters tells them. */
  readonly #returns: Pick<Undelivered, 'letter' | 'reason'>[] = [];
  #due: Map<string, Delivery[]> | undefined;
  #input = NO_INPUT;

  constructor(kit: MailKit, cell: number) {
    this.#kit = kit;
    this.#cell = cell;
    this.#order = LetterOrder.of(kit.placement.schema, kit.tickHz);
  }

  /** Rows came or were read anew. */
  forget(): void {
    this.#order?.forget();
  }

  /** Somebody left with a tick. */
  note(to: number, ids: readonly number[], tick: number): void {
    if (ids.length === 0 && this.#trail === undefined) return;
    this.#trail ??= new Map();
    for (const id of ids) {
      this.#trail.delete(id);
      this.#trail.set(id, { to, tick });
    }
    for (const [id, left] of this.#trail) {
      if (tick - left.tick <= TRAIL_TICKS_MAX) return;
      this.#trail.delete(id);
    }
  }

  /** Events of a type that reached somebody with this tick, by entity, each in order. */
  due(event: string): readonly Delivery[] {
    return this.#due?.get(event) ?? NONE;
  }

  /** By destination cell, the own one included, or address in another layer. */
  get onward(): ReadonlyMap<number, Letter[]> {
    return this.#onward ?? NOWHERE;
  }

  /** Whether a follower, or the holder itself, must know of something. */
  get hasNews(): boolean {
    return this.onward.size + this.far.length + this.dead.length + this.answers.length > 0;
  }

  /** Whether `emit` has to tell somebody that a letter found nobody. */
  get hasReturns(): boolean {
    return this.#returns.length > 0;
  }

  /** Takes in what came. Births, deaths and changes that it asks for are in `requests` and `table`. */
  begin(table: Table, requests: Requests, input: MailInput): void {
    this.#clear();
    this.#input = input;
    for (const { id, error } of input.malformed ?? []) this.#refuse(id, 'VALUE_INVALID', error);
    const held = this.#order?.waiting(table) ?? [];
    if (input.letters.length + input.requests.length + held.length === 0) return;
    const letters = [...held, ...input.letters, ...this.#addressed(table, requests)];
    letters.sort(inOrder);
    const events = letters.filter((letter) => !isFate(letter));
    for (const letter of this.#chosen(table, events)) this.#deliver(table, requests, letter);
    // What reaches somebody in the tick in which it goes still has its effect (M1).
    for (const letter of letters) if (isFate(letter)) this.#end(table, requests, letter);
  }

  /** It is no more where its life is kept: its row goes, or the word follows it to where that is. */
  #end(table: Table, requests: Requests, letter: Letter): void {
    const row = table.find(letter.to);
    if (row === -1) this.#forward(requests, letter);
    else requests.end(row, false);
  }

  #clear(): void {
    this.#onward?.clear();
    this.far.length = 0;
    this.dead.length = 0;
    this.answers.length = 0;
    this.#returns.length = 0;
    this.touched.length = 0;
    this.#due?.clear();
  }

  /** Requests of one entity as letters; new entities are born at once, or refused. */
  #addressed(table: Table, requests: Requests): Letter[] {
    const letters: Letter[] = [];
    const { tick } = this.#input;
    for (const [n, { id: post, request }] of this.#input.requests.entries()) {
      if (request.kind === 'create') {
        this.#create(table, requests, post, request);
        continue;
      }
      const common = { to: request.id, tick, n, seq: 0, before: 0, post };
      const layer = layerFor(request, this.#kit.layers);
      const place = layer === undefined ? {} : { layer };
      if (request.kind === 'event') {
        const { event, payload, from = 0 } = request;
        letters.push({ ...common, from, event, payload, ...place });
      } else letters.push({ ...common, from: 0, event: '', payload: {}, request, ...place });
    }
    return letters;
  }

  #create(
    table: Table,
    requests: Requests,
    post: string,
    { entities }: Extract<EntityRequest, { kind: 'create' }>,
  ): void {
    const fresh = entities.filter(
      ({ id }) => table.find(id) === -1 && requests.births.find(id) === -1,
    );
    try {
      const values = checkNewEntities(this.#kit.placement, fresh);
      if (table.count + requests.births.count + fresh.length > ROWS_MAX) {
        throw tooMany(fresh.length);
      }
      for (const { id, row } of values) {
        requests.bear(id, row, 'create');
      }
      this.#answer(post);
    } catch (error) {
      this.#refuse(post, 'VALUE_INVALID', error);
    }
  }

  /**
   * All of them, as a rule. Where others failed on them: the first that was set aside, and what came
   * since; on the second try one alone; then the one that is to blame for all that is known is left
   * out.
   */
  #chosen(table: Table, letters: readonly Letter[]): readonly Letter[] {
    const { isExact } = this.#input;
    // T1: a pod that died for another reason must leave no trace in what takes effect when.
    const tries = Math.max(0, this.#input.tries - (isExact ? EXACT_TRIES : 0));
    const suspect = letters.find(({ isSuspect }) => isSuspect === true);
    if (tries === 0 && suspect === undefined) return letters;
    const head = suspect ?? letters[0];
    if (head === undefined) return letters;
    if (tries >= 2 || (tries === 1 && suspect !== undefined)) {
      this.#pass(table, head);
      this.#bury(head, 'POISON', 'whoever tried it failed, again and again');
      for (const other of letters) if (other !== head) this.#setAside(other);
      return [];
    }
    const aside = new Set<number>();
    const chosen: Letter[] = [];
    for (const letter of letters) {
      const isFresh = tries === 0 && letter.isSuspect !== true && !aside.has(letter.to);
      if (letter === head || isFresh) {
        chosen.push(letter);
        continue;
      }
      aside.add(letter.to);
      this.#setAside(letter);
    }
    return chosen;
  }

  /** Letters behind it wait for it no more. */
  #pass(table: Table, letter: Letter): void {
    const row = table.find(letter.to);
    if (row === -1 || this.#input.isExact) return;
    this.#order?.judge(table, row, letter, this.#input.tick);
    this.#order?.release(table, row, letter);
  }

  #setAside(letter: Letter): void {
    this.#send(this.#cell, { ...letter, isSuspect: true });
  }

  #deliver(table: Table, requests: Requests, letter: Letter): void {
    const row = table.find(letter.to);
    if (row === -1) {
      this.#forward(requests, letter);
      return;
    }
    if (requests.gone[row] === ENDED) {
      this.#bury(letter, 'GONE', 'it was deleted in this tick');
      return;
    }
    if (this.#isElsewhere(letter)) {
      this.#handOver(letter.layer as number, letter);
      return;
    }
    const { tick, isExact } = this.#input;
    const isOrdered = !isExact && (letter.request === undefined || letter.post !== '');
    const verdict = !isOrdered ? 'take' : (this.#order?.judge(table, row, letter, tick) ?? 'take');
    if (verdict === 'hold') {
      this.#order?.hold(table, row, letter);
      return;
    }
    this.#order?.release(table, row, letter);
    if (verdict === 'repeated') return;
    this.touched.push(row);
    if (verdict === 'late') {
      this.#bury(letter, 'LATE', 'others that were emitted later took effect before');
      return;
    }
    if (letter.request !== undefined) this.#apply(table, requests, row, letter);
    else this.#accept(row, letter);
  }

  /** Its entity is here, and another layer is to act on it: that one's cell has it in the next tick. */
  #isElsewhere({ layer }: Letter): boolean {
    return layer !== undefined && layer !== this.#kit.layers?.index;
  }

  #handOver(layer: number, letter: Letter, cell = this.#cell): void {
    this.#send(addressOf(layer, cell), letter);
  }

  /** Where it went from here; if that is not known, its holder has to ask. */
  #forward(requests: Requests, letter: Letter): void {
    if (requests.births.find(letter.to) !== -1) {
      this.#send(this.#cell, letter);
      return;
    }
    const { tick, isExact } = this.#input;
    const left = this.#trail?.get(letter.to);
    const ticksMax = isExact ? TRAIL_TICKS_EXACT : TRAIL_TICKS_MAX;
    if (left !== undefined && tick - left.tick <= ticksMax) this.#send(left.to, letter);
    // It was here when the letter was sent, and has not left.
    else if (isExact && letter.post === '' && letter.request?.kind !== 'ended')
      this.#bury(letter, 'GONE', 'it is no more');
    else this.far.push(letter);
  }

  /** `cell`: of this layer, or an address in another. */
  #send(cell: number, letter: Letter): void {
    this.#onward ??= new Map();
    const letters = this.#onward.get(cell);
    if (letters === undefined) this.#onward.set(cell, [letter]);
    else letters.push(letter);
  }

  #accept(row: number, letter: Letter): void {
    const type = this.#kit.events.get(letter.event);
    if (type === undefined) {
      this.#invalid(letter, `the simulation has no event ${letter.event}`);
      return;
    }
    let payload: Delivery['payload'];
    try {
      ({ payload } = type.read(letter.payload));
    } catch (error) {
      if (!(error instanceof LeaseholdError)) throw error;
      this.#invalid(letter, error.message);
      return;
    }
    const delivery = { row, from: letter.from, payload };
    this.#due ??= new Map();
    const due = this.#due.get(letter.event);
    if (due === undefined) this.#due.set(letter.event, [delivery]);
    else due.push(delivery);
    this.#answer(letter.post);
  }

  /** Of them this layer has copies at best, which may be a tick older than what was read. */
  #isOfOthers(components: readonly string[]): boolean {
    const { layers } = this.#kit;
    if (layers === undefined) return false;
    return components.some((name) => (layers.layerOf(name) ?? layers.index) !== layers.index);
  }

  #invalid(letter: Letter, message: string): void {
    if (letter.post === '') this.#bury(letter, 'INVALID', message);
    else this.#refuse(letter.post, 'VALUE_INVALID', message);
  }

  #apply(table: Table, requests: Requests, row: number, letter: Letter): void {
    const { post, request } = letter;
    if (request === undefined) return;
    const { placement } = this.#kit;
    if (request.kind === 'ended') return;
    const { match } = request;
    if (match !== undefined && this.#isOfOthers(match.components)) {
      this.#refuse(post, 'VALUE_INVALID', 'what was read of it is of another layer');
      return;
    }
    if (match !== undefined && !matches(table, row, match)) {
      this.#refuse(post, 'MATCH_FAILED', 'the entity is not as it was when it was read');
      return;
    }
    if (request.kind === 'delete') {
      requests.end(row, true);
      this.#answer(post);
      return;
    }
    const { own, rest, layer } = splitPatch(request, this.#kit.layers);
    try {
      const patch = checkPatch(placement, table, row, own);
      applyPatch(placement, table, { row, patch, requests });
      if (layer === undefined) this.#answer(post);
      else this.#handOver(layer, { ...letter, layer, request: rest });
    } catch (error) {
      this.#refuse(post, 'VALUE_INVALID', error);
    }
  }

  #bury(letter: Letter, reason: Undelivered['reason'], message: string): void {
    const isEvent = letter.request === undefined;
    if (isEvent) this.dead.push({ letter, reason, message });
    if (isEvent && this.#input.isExact && letter.from !== 0) this.#returns.push({ letter, reason });
    if (letter.post === '') return;
    this.#refuse(letter.post, reason === 'POISON' ? 'EVENT_POISON' : 'ENTITY_GONE', message);
  }

  #answer(post: string): void {
    if (post === '' || post.startsWith('~')) return;
    const { tick } = this.#input;
    this.answers.push({ id: post, answer: { tag: 'APPLIED', cell: this.#cell, tick } });
  }

  #refuse(post: string, code: RefusalCode, why: unknown): void {
    if (why instanceof Error && !(why instanceof LeaseholdError)) throw why;
    const message = why instanceof LeaseholdError ? why.message : String(why);
    const { tick } = this.#input;
    this.answers.push({ id: post, answer: { tag: 'REFUSED', code, message, tick } });
  }

  /**
   * Sends what the systems emitted, and whom they want ended to the layer that says who lives.
   * `cellOf` knows who is in the cells around; `homeOf`, as of this tick, in which of them and this one
   * the layer has somebody that says where all are.
   */
  emit(table: Table, requests: Requests, cells: CellFinders): void {
    const { tick, isExact } = this.#input;
    const { layers } = this.#kit;
    for (const [n, { to, from, value }] of requests.emitted.entries()) {
      const row = table.find(from);
      const { type, payload } = value;
      const taker = layers?.takerOf(type.event);
      const layer = taker === layers?.index ? undefined : taker;
      const isNumbered = !isExact && row !== -1;
      const numbers = isNumbered ? this.#order?.number(table, row, { to, layer, tick }) : undefined;
      const { seq = 0, before = 0 } = numbers ?? {};
      const letter: Letter = {
        ...{ to, from, tick, n, seq, before, post: '' },
        ...{ event: type.event, payload },
        ...(layer === undefined || layers === undefined ? {} : { layer, fromLayer: layers.index }),
      };
      if (layer !== undefined) this.#sendOver(table, letter, cells);
      else if (table.find(to) !== -1 || requests.births.find(to) !== -1)
        this.#send(this.#cell, letter);
      else this.#forwardOut(letter, cells.cellOf(to));
    }
    for (const [n, id] of requests.endings.entries()) {
      const letter: Letter = {
        ...{ to: id, from: 0, tick, n, seq: 0, before: 0, post: '', event: '', payload: {} },
        ...{ request: { kind: 'delete', id }, layer: layers?.home ?? 0 },
      };
      this.#sendOver(table, letter, cells);
    }
    if (isExact) this.#tellSenders(table, cells);
  }

  /**
   * The negative answers of a tick, as letters like others. T1: brought by somebody's hand they would
   * come in any tick. There is none to a negative answer.
   */
  #tellSenders(table: Table, cells: CellFinders): void {
    const { takesUndelivered, layers } = this.#kit;
    const { tick } = this.#input;
    for (const [n, { letter, reason }] of takesUndelivered ? this.#returns.entries() : []) {
      const { from, to, event, fromLayer } = letter;
      if (event === UndeliveredEvent.event) continue;
      const answer: Letter = {
        ...{ to: from, from: 0, tick, n, seq: 0, before: 0, post: '' },
        ...{ event: UndeliveredEvent.event, payload: { to, event, reason } },
        ...(fromLayer === undefined || fromLayer === layers?.index ? {} : { layer: fromLayer }),
      };
      if (answer.layer !== undefined) this.#sendOver(table, answer, cells);
      else if (table.find(from) !== -1) this.#send(this.#cell, answer);
      else this.#forwardOut(answer, cells.cellOf(from));
    }
  }

  /** To where its entity is now: the other layer has it there in the next tick, or knows whither it left. */
  #sendOver(table: Table, letter: Letter, { homeOf, cellOf }: CellFinders): void {
    const { layer = 0, to } = letter;
    const seenIn = homeOf(to);
    if (seenIn !== undefined) this.#handOver(layer, letter, seenIn);
    else if (table.find(to) !== -1) this.#handOver(layer, letter);
    // By the ways of this layer, and over where its entity is found.
    else this.#forwardOut(letter, cellOf(to));
  }

  #forwardOut(letter: Letter, seenIn: number | undefined): void {
    const { tick, isExact } = this.#input;
    const left = this.#trail?.get(letter.to);
    const ticksMax = isExact ? TRAIL_TICKS_EXACT : TRAIL_TICKS_MAX;
    // Who has just left from here is seen nowhere else yet.
    if (left !== undefined && tick - left.tick <= 1) this.#send(left.to, letter);
    else if (seenIn !== undefined) this.#send(seenIn, letter);
    else if (left !== undefined && tick - left.tick <= ticksMax) this.#send(left.to, letter);
    // T1: who is elsewhere is known to nobody at one tick, so letters of the world stay around.
    else if (isExact) this.#bury(letter, 'FAR', 'in lockstep events reach neighbouring cells only');
    else this.far.push(letter);
  }
}

const isFate = ({ request }: Letter): boolean => request?.kind === 'ended';

/** By entity, and for each in the order in which they were emitted. */
function inOrder(a: Letter, b: Letter): number {
  return a.to - b.to || a.tick - b.tick || a.from - b.from || a.n - b.n;
}

function tooMany(count: number): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `the cell has no room for ${count} more entities`, {
    field: 'entities per cell',
    value: String(count),
    remedy: `A cell holds ${ROWS_MAX}; create them elsewhere, or make cells smaller.`,
  });
}
