/**
 * Bringing living entities up to a version of their prefab. A field is changed only where the entity
 * still has the value that its own version gave it: what was changed by hand or by a system stays.
 */
import {
  type ComponentValues,
  encodeRequest,
  type Json,
  PREFAB_COMPONENT,
  type Store,
} from '@leasehold/protocol';
import type { Descendant } from './descendants.ts';
import { isSame, type Prefab } from './prefab.ts';

export type Patch = {
  readonly id: number;
  readonly cell: number;
  readonly set: ComponentValues;
  readonly remove: readonly string[];
};

export type PatchPost = { readonly cell: number; readonly id: string; readonly body: Uint8Array };

/** As many as one call to the store takes. */
const POSTS_PER_CALL = 16;
/** A full inbox is emptied with the next tick of its cell. */
const FULL_PAUSE_MS = 250;
const ATTEMPTS_MAX = 20;

/**
 * What makes a descendant of `was` one of `is`, a version named `to`; undefined when only its version
 * would change, for then nothing of it is the prefab's any more.
 */
export function patchOf(
  { id, cell, components: has }: Descendant,
  was: Prefab,
  is: Prefab,
  to: string,
): Patch | undefined {
  const set: Record<string, Readonly<Record<string, Json>>> = {};
  for (const [component, wanted] of Object.entries(is.components)) {
    const given = was.components[component];
    const own = has[component];
    if (given === undefined && own === undefined) set[component] = wanted;
    if (given === undefined || own === undefined) continue;
    const fields = Object.entries(wanted).filter(
      ([field, value]) => !isSame(given[field], value) && isSame(own[field], given[field]),
    );
    if (fields.length > 0) set[component] = Object.fromEntries(fields);
  }
  const remove = Object.entries(was.components)
    .filter(([component, given]) => {
      const own = has[component];
      const isWanted = is.components[component] !== undefined;
      if (isWanted || own === undefined) return false;
      return Object.entries(given).every(([field, value]) => isSame(own[field], value));
    })
    .map(([component]) => component);
  if (Object.keys(set).length + remove.length === 0) return undefined;
  return { id, cell, set: { ...set, [PREFAB_COMPONENT]: { version: to } }, remove };
}

/**
 * `application`: a name of this one time that the version was applied. A patch of it has the same id
 * whenever it is posted, and is applied once; gone back from and applied again, it is another.
 */
export function patchPost({ id, cell, set, remove }: Patch, application: string): PatchPost {
  const body = encodeRequest({ kind: 'patch', id, set, remove });
  return { cell, id: `prefab-${application}-${id}`, body };
}

export type PostOptions = {
  readonly store: Pick<Store, 'post'>;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly progress?: (posted: number, total: number) => void;
};

/** Posts them all; the answer is how many an inbox took. Those left out found theirs full for long. */
export async function postAll(
  posts: readonly PatchPost[],
  { store, sleep = pause, progress }: PostOptions,
): Promise<number> {
  let left = [...posts];
  for (let attempt = 1; left.length > 0 && attempt <= ATTEMPTS_MAX; attempt++) {
    if (attempt > 1) await sleep(FULL_PAUSE_MS);
    const full: PatchPost[] = [];
    for (let i = 0; i < left.length; i += POSTS_PER_CALL) {
      progress?.(posts.length - left.length + i, posts.length);
      const some = left.slice(i, i + POSTS_PER_CALL);
      const replies = await store.post(some);
      full.push(...some.filter((_, j) => replies[j]?.tag !== 'OK'));
    }
    left = full;
  }
  return posts.length - left.length;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
