/**
 * Works off a bulk job, step by step. Where it stands is kept beside the world before anything is
 * posted, with the ids of the step, so whoever goes on asks for the same entities once more, and an
 * entity that lives or lived is passed over.
 */
import { hasCode } from '@leasehold/kernel';
import type { LiveRecords } from '@leasehold/live-store';
import type { RequestAnswer } from '@leasehold/protocol';
import {
  type Birth,
  birthPosts,
  groupsOf,
  type RequestPost,
  reservedIds,
} from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import type { BulkSource } from './bulk-plan.ts';
import type { OpenLayer } from './worlds.ts';

export type BulkState = {
  /** The step that is due. */
  readonly step: number;
  /** Its ids, once they are reserved; 0 where the cell is lost. */
  readonly ids?: readonly number[];
  readonly posted: number;
  readonly created: number;
  readonly refused: number;
  /** Why the first of those was refused. */
  readonly message?: string;
  /** Why it does not go on for now, and goes on by itself. */
  readonly waitsFor?: string;
};

export const BULK_START: BulkState = { step: 0, posted: 0, created: 0, refused: 0 };
/** As long as a job is listed. */
const KEPT_S = 7 * 24 * 3_600;
/** Posts of one round trip. */
const POSTS_PER_CALL_MAX = 256;
const FULL_PAUSE_MS = 200;
const LOOK_MS = 50;
/** A store that cannot wake a cell is left alone for as long. */
const COLD_PAUSE_MS = 1_000;
/** A job that has not gone on for so long says so, and lets others have its turn. */
const STUCK_MS = 5_000;
const NOBODY = 'no pod of the world has taken what was asked of it for five seconds';

/** It does not go on for now, and others wait for its turn: whoever goes on with it repeats nothing. */
export class TurnOver extends Error {}

export async function readBulkState(records: LiveRecords, job: string): Promise<BulkState> {
  const text = await records.read('job', job);
  return text === undefined ? BULK_START : (JSON.parse(text) as BulkState);
}

export type BulkParts = {
  readonly job: string;
  readonly plan: BulkSource;
  readonly layer: OpenLayer;
  readonly records: LiveRecords;
  /** Whether it is to end before it is done. */
  readonly isCancelled: () => Promise<boolean>;
  /** Whether another job waits until this one ends. */
  readonly isNextWaiting: () => Promise<boolean>;
  readonly onStep: (state: BulkState) => Promise<void>;
};

/** What becomes of a post: its answer, or that its cell is not to be had. */
type Ending = RequestAnswer | { readonly tag: 'LOST'; readonly message: string };

/** A job under way, for those who do parts of a step. */
type Work = {
  readonly parts: BulkParts;
  /** Tells what the job waits for; undefined: for nothing. */
  readonly waits: (waitsFor: string | undefined) => Promise<void>;
  readonly patience: Patience;
};

/** How long a job has waited for the same. */
class Patience {
  readonly #parts: BulkParts;
  #left = 0;
  #sinceMs = systemClock.nowMs();
  #nextLookMs = 0;

  constructor(parts: BulkParts) {
    this.#parts = parts;
  }

  get isStuck(): boolean {
    return systemClock.nowMs() - this.#sinceMs > STUCK_MS;
  }

  /** `left`: of what is waited for. False: the job was cancelled. Throws `TurnOver`. */
  async rest(ms: number, left: number): Promise<boolean> {
    const now = systemClock.nowMs();
    if (left !== this.#left) this.#sinceMs = now;
    this.#left = left;
    if (await this.#parts.isCancelled()) return false;
    if (this.isStuck && now >= this.#nextLookMs) {
      this.#nextLookMs = now + COLD_PAUSE_MS;
      if (await this.#parts.isNextWaiting()) throw new TurnOver();
    }
    await systemClock.sleep(ms);
    return true;
  }
}

/** Returns where it stands when it is done, or cancelled. Errors: those of the store, `TurnOver`. */
export async function workOff(parts: BulkParts): Promise<BulkState> {
  const { job, plan, records } = parts;
  let state = await readBulkState(records, job);
  const keep = async (next: BulkState): Promise<void> => {
    state = next;
    await records.write('job', job, JSON.stringify(next), KEPT_S);
  };
  const waits = async (waitsFor: string | undefined): Promise<void> => {
    if (waitsFor === state.waitsFor) return;
    const { waitsFor: _, ...rest } = state;
    await keep(waitsFor === undefined ? rest : { ...rest, waitsFor });
  };
  const work = { parts, waits, patience: new Patience(parts) };
  while (state.step < plan.steps && !(await parts.isCancelled())) {
    const births = await plan.births(state.step);
    if (state.ids === undefined) {
      const drawn = await drawnIds(work, births);
      if (drawn === undefined) break;
      const { ids, message = state.message } = drawn;
      await keep({ ...state, ids, ...(message === undefined ? {} : { message }) });
    }
    const groups = groupsOf(births);
    const sizes = groups.map(({ of }) => of.length);
    const endings = await posted(work, state, births);
    if (endings === undefined) break;
    const { ids: _, ...done } = counted(state, births, sizes, endings);
    await keep({ ...done, step: state.step + 1 });
    await parts.onStep(state);
  }
  await waits(undefined);
  return state;
}

function counted(
  state: BulkState,
  births: readonly Birth[],
  sizes: readonly number[],
  endings: readonly Ending[],
): BulkState {
  let { created, refused, message } = state;
  for (const [i, ending] of endings.entries()) {
    if (ending.tag === 'APPLIED') created += sizes[i] ?? 0;
    else {
      refused += sizes[i] ?? 0;
      message ??= ending.message;
    }
  }
  const posted = state.posted + births.length;
  return { ...state, posted, created, refused, ...(message === undefined ? {} : { message }) };
}

type Drawn = { readonly ids: readonly number[]; readonly message?: string };

/**
 * Ids of a step, 0 for those whose cell is lost, and why; cells that do not wake for now are asked again.
 * Undefined: the job was cancelled. Errors: those of the store.
 */
async function drawnIds(work: Work, births: readonly Birth[]): Promise<Drawn | undefined> {
  const { layer } = work.parts;
  const ids: number[] = new Array(births.length).fill(0);
  let message: string | undefined;
  let left = new Map(births.map(({ cell }) => [cell, [] as number[]]));
  for (const [i, { cell }] of births.entries()) left.get(cell)?.push(i);
  while (left.size > 0) {
    const asked = [...left];
    const drawn = await Promise.allSettled(
      asked.map(([, of]) =>
        reservedIds(
          layer,
          of.map((i) => births[i] as Birth),
        ),
      ),
    );
    left = new Map();
    let cold: string | undefined;
    for (const [k, [cell, of]] of asked.entries()) {
      const each = drawn[k] as (typeof drawn)[number];
      if (each.status === 'fulfilled')
        for (const [j, i] of of.entries()) ids[i] = each.value[j] ?? 0;
      else if (hasCode(each.reason, 'CELL_LOST')) message ??= `CELL_LOST: ${each.reason.message}`;
      else if (hasCode(each.reason, 'CELL_COLD')) {
        cold ??= `CELL_COLD: ${each.reason.message}`;
        left.set(cell, of);
      } else throw each.reason;
    }
    await work.waits(cold);
    if (left.size === 0) break;
    if (!(await work.patience.rest(COLD_PAUSE_MS, left.size))) return undefined;
  }
  return { ids, ...(message === undefined ? {} : { message }) };
}

/** Posts a step, again and again where inboxes are full, and waits for all answers. */
async function posted(
  work: Work,
  { step, ids: born = [], message = '' }: BulkState,
  births: readonly Birth[],
): Promise<readonly Ending[] | undefined> {
  const { job, layer } = work.parts;
  const groups = groupsOf(births);
  const posts = birthPosts(births, groups, born);
  const ids = posts.map((_, i) => `${job}.${step}.${i}`);
  const endings: (Ending | undefined)[] = await layer.store.answers(ids);
  // All of a post are of one cell: either each has an id, or none.
  for (const [i, { of }] of groups.entries()) {
    if (born[of[0] as number] === 0) endings[i] = { tag: 'LOST', message };
  }
  let left = posts.map((_, i) => i).filter((i) => endings[i] === undefined);
  while (left.length > 0) {
    const items = left.map((i) => ({ ...(posts[i] as RequestPost), id: ids[i] as string }));
    const replies = await postedOnce(work, items);
    for (const [j, { lost }] of replies.entries()) {
      if (lost !== undefined) endings[left[j] as number] = { tag: 'LOST', message: lost };
    }
    await work.waits(replies.find(({ cold }) => cold !== undefined)?.cold);
    left = left.filter((_, j) => replies[j]?.isAgain);
    if (left.length === 0) break;
    if (!(await work.patience.rest(FULL_PAUSE_MS, left.length))) return undefined;
  }
  let open = ids.map((_, i) => i).filter((i) => endings[i] === undefined);
  while (open.length > 0) {
    const found = await layer.store.answers(open.map((i) => ids[i] as string));
    for (const [j, answer] of found.entries()) endings[open[j] as number] = answer;
    const before = open.length;
    open = open.filter((i) => endings[i] === undefined);
    if (open.length === 0) break;
    if (open.length < before) await work.waits(undefined);
    else if (work.patience.isStuck) await work.waits(NOBODY);
    if (!(await work.patience.rest(LOOK_MS, open.length))) return undefined;
  }
  return endings.filter((ending) => ending !== undefined);
}

/** What became of a post: taken, to be repeated, or of a cell that is lost. */
type Posted = { readonly isAgain?: boolean; readonly lost?: string; readonly cold?: string };

async function postedOnce(
  { parts: { job, layer } }: Work,
  items: readonly (RequestPost & { readonly id: string })[],
): Promise<Posted[]> {
  const found: Posted[] = [];
  for (let from = 0; from < items.length; from += POSTS_PER_CALL_MAX) {
    const some = items.slice(from, from + POSTS_PER_CALL_MAX);
    for (const [i, reply] of (await layer.store.post(some)).entries()) {
      if (reply.tag === 'OK') found.push({});
      else if (reply.tag === 'FULL') found.push({ isAgain: true });
      else if (reply.tag === 'UNKNOWN') {
        const why = `${reply.code}: cell ${some[i]?.cell} sleeps: ${reply.message}`;
        if (reply.code === 'CELL_LOST') found.push({ lost: why });
        else found.push({ isAgain: true, ...(reply.code === undefined ? {} : { cold: why }) });
      } else throw new Error(`the store answers ${reply.tag} to a post of job ${job}`);
    }
  }
  return found;
}
