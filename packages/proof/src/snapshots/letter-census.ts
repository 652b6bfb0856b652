/**
 * Where every letter of the world of couriers is: read by whom it is for, held back by it until one that
 * was written before has come, or on its way in a channel or an inbox. Counted pair by pair, so that one
 * that is lost does not make up for one that is doubled.
 */
import {
  channelKind,
  decodeMail,
  decodeOutbox,
  decodePost,
  type Head,
  type Letter,
  type Store,
  type Table,
} from '@leasehold/protocol';
import { LETTERS_COMPONENT } from '@leasehold/sdk/engine';

const SHOWN_MAX = 5;

type Sources = Pick<Store, 'channel' | 'inboxes'>;

/** M1 and M2 of a world in which nobody moves on. */
export async function letterFaults(
  store: Sources,
  heads: readonly Head[],
  tables: readonly Table[],
): Promise<string[]> {
  const waiting = numbersOf([...(await lettersUnderWay(store, heads)), ...lettersHeld(tables)]);
  const read = new Map(rowsOf<Counts>(tables, 'got', 'from'));
  const faults: string[] = [];
  for (const [from, counts] of rowsOf<Counts>(tables, 'sent', 'to')) {
    for (const [to, sent] of Object.entries(counts)) {
      const got = read.get(Number(to))?.[from] ?? 0;
      const on = waiting.get(`${from} ${to}`) ?? new Set();
      const lost = range(got + 1, sent).filter((n) => !on.has(n));
      const strange = [...on].filter((n) => n > sent);
      const pair = `${from} to ${to}`;
      if (got > sent || strange.length > 0) faults.push(`M1: more came than ${sent} of ${pair}`);
      if (lost.length > 0) faults.push(`M1: lost of ${pair}: ${lost.join(', ')}`);
    }
  }
  const disorder = [...rowsOf<number>(tables, 'got', 'faults')].filter(([, n]) => n > 0).length;
  if (disorder > 0) faults.push(`M2: ${disorder} couriers read letters in another order`);
  const more = faults.length - SHOWN_MAX;
  return more > 0 ? [...faults.slice(0, SHOWN_MAX), `and ${more} more such faults`] : faults;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

type Counts = Readonly<Record<string, number>>;

/** A field of all who have it, by entity. */
function* rowsOf<T>(
  tables: readonly Table[],
  component: string,
  field: string,
): Generator<[number, T]> {
  for (const { schema, columns, ids, masks, count } of tables) {
    const c = schema.components.findIndex(({ name }) => name === component);
    const f = schema.components[c]?.fields.findIndex(({ name }) => name === field) ?? -1;
    const column = columns[c]?.[f];
    if (column === undefined) continue;
    for (let row = 0; row < count; row++) {
      const has = Math.floor((masks[row] ?? 0) / 2 ** c) % 2 === 1;
      if (has) yield [ids[row] ?? 0, column[row] as T];
    }
  }
}

/** M2: they came before one that was written earlier, and have no effect until it has. */
function lettersHeld(tables: readonly Table[]): Letter[] {
  const rows = [...rowsOf<readonly Letter[]>(tables, LETTERS_COMPONENT, 'held')];
  return rows.flatMap(([id, held]) => held.filter(({ to }) => to === id));
}

/** Numbers by sender and receiver. The same letter may be in a channel and in an inbox. */
function numbersOf(letters: readonly Letter[]): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const { from, to, event, payload } of letters) {
    if (event !== 'note') continue;
    const key = `${from} ${to}`;
    const numbers = found.get(key) ?? new Set();
    found.set(key, numbers.add(Number(payload['n'])));
  }
  return found;
}

async function lettersUnderWay(store: Sources, heads: readonly Head[]): Promise<Letter[]> {
  const found: Letter[] = [];
  const cursors = new Map(heads.map((head) => [head.cell, head.cursors]));
  for (const { cell, inboxCursor } of heads) {
    for (const { seq, from, to, body } of await store.channel(cell, 0)) {
      const kind = channelKind(body);
      if (kind === 'outbox') found.push(...decodeOutbox(body).far);
      if (kind !== 'mail' || seq <= (cursors.get(to)?.get(from) ?? 0)) continue;
      found.push(...decodeMail(body));
    }
    for (let after = inboxCursor; ; ) {
      const [posts = []] = await store.inboxes([{ cell, after }]);
      for (const { body } of posts) {
        const post = decodePost(body);
        if ('letters' in post) found.push(...post.letters);
      }
      const last = posts.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
  }
  return found;
}
