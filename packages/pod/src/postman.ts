/**
 * Brings what the cells held here have for no cell around: letters to entities far away, answers to
 * requests, and letters that nobody can take. It is all in the cells' channels until it is done, so
 * whoever takes a cell over goes on with it; what is brought twice is recognised where it arrives.
 */
import { bearerOf } from '@leasehold/kernel';
import {
  type DeadReason,
  decodeOutbox,
  encodeMail,
  type Letter,
  LOCATE_CELLS_MAX,
  mailId,
  type RequestAnswer,
  UNASKED,
  type Undelivered,
  type Whereabouts,
} from '@leasehold/protocol';
import type { Holding } from './holding.ts';
import { expectRun } from './loader.ts';
import type { PodParts } from './settings.ts';

/** Letters looked after in one turn: more would keep the ticks of the pod waiting. */
const LETTERS_PER_TURN_MAX = 2_048;
/** As many ids in one look at the directory. */
const CHECKED_PER_TURN_MAX = 4_096;
/** A full inbox is tried again after this time, twice as long each time. */
const RETRY_MS = 25;
const RETRY_MS_MAX = 800;
/**
 * Who is nowhere may be on its way to a cell that is being taken over, or its crossing not yet noted.
 * Whoever asks from outside waits for the answer.
 */
const GONE_MS = 30_000;
/** A note of whereabouts may have died with who took it: the index is asked from then on, ever more rarely. */
const LOOK_MS = 500;
const GONE_ASKED_MS = 3_000;
/** How long an inbox may take nothing. */
const FULL_MS = 20_000;

/** A letter that is being brought. */
type Errand = {
  readonly id: string;
  readonly letter: Letter;
  readonly cell: number;
  readonly sinceMs: number;
  lookAtMs: number;
  retryAtMs: number;
  pauseMs: number;
};

/** What one channel entry asks for, as far as it is not done. */
type Task = {
  readonly holding: Holding;
  readonly seq: number;
  readonly errands: Set<Errand>;
  dead: readonly { readonly id: string; readonly undelivered: Undelivered }[];
  answers: readonly { readonly id: string; readonly answer: RequestAnswer }[];
};

export type PostmanCounts = { letters: number; deadLetters: number; postsRefused: number };

export class Postman {
  readonly counts: PostmanCounts = { letters: 0, deadLetters: 0, postsRefused: 0 };
  /** Lockstep. */
  isExact = false;
  readonly #parts: PodParts;
  readonly #tasks = new Map<Holding, Map<number, Task>>();
  readonly #notes = new Map<number, Whereabouts>();
  readonly #unchecked = new Map<number, Whereabouts>();

  constructor(parts: PodParts) {
    this.#parts = parts;
  }

  /** Somebody arrived in a cell, or died there. */
  note(ids: readonly number[], cell: number, tick: number): void {
    for (const id of ids) this.#notes.set(id, { id, cell, tick });
  }

  /** Whoever is in the cell that bore it is noted only if it is said to be elsewhere. */
  check(ids: readonly number[], cell: number, tick: number): void {
    for (const id of ids) this.#unchecked.set(id, { id, cell, tick });
  }

  async #checkNotes(): Promise<void> {
    if (this.#unchecked.size === 0) return;
    const some = [...this.#unchecked.values()].slice(0, CHECKED_PER_TURN_MAX);
    const noted = await this.#parts.store.whereabouts(some.map(({ id }) => id));
    for (const [i, each] of some.entries()) {
      this.#unchecked.delete(each.id);
      const isElsewhere = noted[i] !== undefined && noted[i] !== each.cell;
      if (isElsewhere && !this.#notes.has(each.id)) this.#notes.set(each.id, each);
    }
  }

  /** How long the next turn may wait. */
  async turn(holdings: Iterable<Holding>): Promise<number> {
    await this.#checkNotes();
    await this.#tellNotes();
    const tasks = this.#due(holdings);
    if (tasks.length === 0) return RETRY_MS_MAX;
    const { store } = this.#parts;
    const { runId } = store.status();
    // Nothing that a failover could take back is told elsewhere.
    if (store.status().replicas > 0) await store.barrier();
    if (store.status().runId !== runId) return RETRY_MS;
    await this.#tellAnswers(tasks);
    await this.#buryDead(tasks);
    await this.#bring(tasks, runId);
    for (const task of tasks) {
      const isDone = task.errands.size + task.dead.length + task.answers.length === 0;
      if (!isDone) continue;
      task.holding.outbox.delete(task.seq);
      this.#tasks.get(task.holding)?.delete(task.seq);
    }
    return RETRY_MS;
  }

  async #tellNotes(): Promise<void> {
    if (this.#notes.size === 0) return;
    const notes = [...this.#notes.values()];
    this.#notes.clear();
    try {
      await this.#parts.store.noteWhereabouts(notes);
    } catch (error) {
      // Older than what has come since, if any.
      for (const each of notes) if (!this.#notes.has(each.id)) this.#notes.set(each.id, each);
      throw error;
    }
  }

  /** What is to be done for the cells held here, oldest first; cells that are gone are forgotten. */
  #due(holdings: Iterable<Holding>): Task[] {
    const due: Task[] = [];
    const here = new Set<Holding>();
    let letters = 0;
    for (const holding of holdings) {
      // M1: what it has is of a history that may not be the store's any more.
      if (holding.outbox.size === 0 || holding.needsReload) continue;
      here.add(holding);
      const tasks = this.#tasks.get(holding) ?? new Map<number, Task>();
      this.#tasks.set(holding, tasks);
      for (const [seq, body] of holding.outbox) {
        if (letters >= LETTERS_PER_TURN_MAX) break;
        const task = tasks.get(seq) ?? this.#begin(holding, seq, body);
        tasks.set(seq, task);
        letters += task.errands.size;
        due.push(task);
      }
    }
    for (const holding of this.#tasks.keys()) if (!here.has(holding)) this.#tasks.delete(holding);
    return due;
  }

  #begin(holding: Holding, seq: number, body: Uint8Array): Task {
    const { far, dead, answers } = decodeOutbox(body);
    const source = { layer: this.#parts.store.layer, cell: holding.cell, seq };
    const id = (i: number): string => mailId(source, i);
    const errands = far.map((letter, i) => this.#errand(id(i), letter, holding.cell));
    return {
      ...{ holding, seq, errands: new Set(errands) },
      dead: dead.map((undelivered, i) => ({ id: id(far.length + i), undelivered })),
      answers: answers.filter((answer) => !answer.id.startsWith(UNASKED)),
    };
  }

  #errand(id: string, letter: Letter, cell: number): Errand {
    const sinceMs = this.#parts.clock.nowMs();
    const lookAtMs = sinceMs + LOOK_MS;
    return { id, letter, cell, sinceMs, lookAtMs, retryAtMs: 0, pauseMs: RETRY_MS };
  }

  async #tellAnswers(tasks: readonly Task[]): Promise<void> {
    const answers = tasks.flatMap((task) => task.answers);
    if (answers.length === 0) return;
    await this.#parts.store.putAnswers(answers);
    for (const task of tasks) task.answers = [];
  }

  async #buryDead(tasks: readonly Task[]): Promise<void> {
    if (!tasks.some(({ dead }) => dead.length > 0)) return;
    for (const task of tasks) {
      const { dead, holding } = task;
      if (dead.length === 0) continue;
      await this.#bury(holding.cell, dead);
      for (const each of dead) this.#answerSender(task, each.id, each.undelivered);
      task.dead = [];
    }
  }

  async #bury(
    cell: number,
    dead: readonly { readonly id: string; readonly undelivered: Undelivered }[],
  ): Promise<void> {
    const { store } = this.#parts;
    this.counts.deadLetters += dead.length;
    await store.addDeadLetters(
      dead.map(({ id, undelivered: { letter, reason, message } }) => {
        const { to, from, tick, event, payload } = letter;
        return { id, atMs: store.nowMs(), tick, cell, to, from, event, payload, reason, message };
      }),
    );
  }

  /** The negative answer, itself a letter. There is none to a negative answer. */
  #answerSender(task: Task, id: string, { letter, reason }: Undelivered): void {
    const { event, from, to, tick, fromLayer } = letter;
    // T1: in lockstep the cell has told it.
    if (
      this.isExact ||
      from === 0 ||
      event === 'undelivered' ||
      !this.#parts.engine.takesUndelivered
    )
      return;
    const answer: Letter = {
      ...{ to: from, from: 0, tick, n: 0, seq: 0, before: 0, post: UNASKED + id },
      ...{ event: 'undelivered', payload: { to, event, reason } },
      ...(fromLayer === undefined ? {} : { layer: fromLayer }),
    };
    task.errands.add(this.#errand(`${UNASKED}${id}`, answer, task.holding.cell));
  }

  async #bring(tasks: readonly Task[], runId: string): Promise<void> {
    const { store, clock, engine } = this.#parts;
    const now = clock.nowMs();
    const due: { readonly task: Task; readonly errand: Errand; cell: number }[] = [];
    for (const task of tasks) {
      for (const errand of task.errands) {
        if (errand.retryAtMs <= now) due.push({ task, errand, cell: -1 });
      }
    }
    if (due.length === 0) return;
    const known = await store.whereabouts(due.map(({ errand }) => errand.letter.to));
    const posting: typeof due = [];
    for (const [i, each] of due.entries()) {
      const { to } = each.errand.letter;
      each.cell = known[i] ?? bearerOf(to);
      const isHere = each.task.holding.cell === each.cell;
      if (each.cell >= engine.grid.cells) await this.#giveUp(each.task, each.errand, 'GONE');
      else if (!isHere || each.task.holding.state.table.find(to) !== -1) posting.push(each);
      else await this.#seek(each.task, each.errand, posting);
    }
    await this.#post(posting, runId);
  }

  /** It should be here, and is not: on its way, noted late, or gone. */
  async #seek(
    task: Task,
    errand: Errand,
    posting: { readonly task: Task; readonly errand: Errand; cell: number }[],
  ): Promise<void> {
    const now = this.#parts.clock.nowMs();
    const age = now - errand.sinceMs;
    if (now >= errand.lookAtMs) {
      errand.lookAtMs = now + age;
      const cell = await this.#locate(errand.letter.to, task.holding.cell);
      if (cell !== undefined) {
        posting.push({ task, errand, cell });
        return;
      }
    }
    const patienceMs = errand.letter.post === '' ? GONE_MS : GONE_ASKED_MS;
    // E1: its row is somewhere, and goes only by this word.
    const isFate = errand.letter.request?.kind === 'ended';
    if (isFate || age < patienceMs) this.#retry(errand);
    else await this.#giveUp(task, errand, 'GONE');
  }

  /** In which cell but one the index has it. */
  async #locate(id: number, but: number): Promise<number | undefined> {
    const { store, engine } = this.#parts;
    const { cells } = engine.grid;
    for (let first = 0; first < cells; first += LOCATE_CELLS_MAX) {
      const length = Math.min(LOCATE_CELLS_MAX, cells - first);
      const found = await store.locate(
        id,
        Array.from({ length }, (_, i) => first + i),
      );
      const cell = found.find((other) => other !== but);
      if (cell !== undefined) return cell;
    }
    return undefined;
  }

  async #post(
    posting: readonly { readonly task: Task; readonly errand: Errand; readonly cell: number }[],
    runId: string,
  ): Promise<void> {
    if (posting.length === 0) return;
    const { store, engine, clock } = this.#parts;
    expectRun(store, runId);
    const replies = await store.post(
      posting.map(({ errand: { id, letter }, cell }) => ({
        ...{ cell, id },
        body: encodeMail(engine.schema, [letter]),
      })),
    );
    // M1: what a failover takes back out of an inbox is nowhere else once it is forgotten here.
    if (store.status().replicas > 0) await store.barrier();
    expectRun(store, runId);
    for (const [i, reply] of replies.entries()) {
      const { task, errand } = posting[i] as (typeof posting)[number];
      if (reply.tag === 'OK') {
        this.counts.letters++;
        task.errands.delete(errand);
        continue;
      }
      this.counts.postsRefused++;
      const isTooLong = clock.nowMs() - errand.sinceMs > FULL_MS;
      if (reply.tag === 'BADARG') await this.#giveUp(task, errand, 'INVALID');
      else if (reply.tag === 'FULL' && isTooLong) await this.#giveUp(task, errand, 'FULL');
      else this.#retry(errand);
    }
  }

  #retry(errand: Errand): void {
    errand.retryAtMs = this.#parts.clock.nowMs() + errand.pauseMs;
    errand.pauseMs = Math.min(RETRY_MS_MAX, errand.pauseMs * 2);
  }

  async #giveUp(task: Task, errand: Errand, reason: DeadReason): Promise<void> {
    const { letter, id } = errand;
    const message = WHY[reason] ?? '';
    if (letter.post !== '' && !letter.post.startsWith(UNASKED)) {
      const code = reason === 'INVALID' ? 'VALUE_INVALID' : 'ENTITY_GONE';
      const answer: RequestAnswer = { tag: 'REFUSED', code, message, tick: letter.tick };
      await this.#parts.store.putAnswers([{ id: letter.post, answer }]);
    }
    if (letter.event !== '' && letter.event !== 'undelivered') {
      const undelivered = { letter, reason, message };
      await this.#bury(errand.cell, [{ id, undelivered }]);
      this.#answerSender(task, id, undelivered);
    }
    task.errands.delete(errand);
  }
}

const WHY: Partial<Record<DeadReason, string>> = {
  GONE: 'the entity is nowhere',
  FULL: 'the inbox of its cell took nothing for too long',
  INVALID: 'it is too large for an inbox',
};
