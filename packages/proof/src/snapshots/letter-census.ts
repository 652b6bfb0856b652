/**
 * Where every letter of the world of couriers is: read by whom it is for, or on its way in a channel or
 * an inbox. Counted pair by pair, so that one that is lost does not make up for one that is doubled.
 */
import {
  channelKind,
  decodeMail,
  decodeOutbox,
  decodePost,
  type Head,
  type Json,
  type Letter,
  type Store,
  type Table,
} from '@leasehold/protocol';

const SHOWN_MAX = 5;

/** M1 and M2 of a world in which nobody moves on. */
export async function letterFaults(
  store: Store,
  heads: readonly Head[],
  tables: readonly Table[],
): Promise<string[]> {
  const waiting = await lettersUnderWay(store, heads);
  const read = new Map(rowsOf(tables, 'got', 'from'));
  const faults: string[] = [];
  for (const [from, counts] of rowsOf(tables, 'sent', 'to')) {
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
  const disorder = [...rowsOf(tables, 'got', 'faults')].filter(([, n]) => Number(n) > 0).length;
  if (disorder > 0) faults.push(`M2: ${disorder} couriers read letters in another order`);
  const more = faults.length - SHOWN_MAX;
  return more > 0 ? [...faults.slice(0, SHOWN_MAX), `and ${more} more such faults`] : faults;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

type Counts = Readonly<Record<string, number>>;

/** A field of all who have it, by entity. */
function* rowsOf(
  tables: readonly Table[],
  component: string,
  field: string,
): Generator<[number, Counts]> {
  for (const { schema, columns, ids, count } of tables) {
    const c = schema.components.findIndex(({ name }) => name === component);
    const f = schema.components[c]?.fields.findIndex(({ name }) => name === field) ?? -1;
    const column = columns[c]?.[f] as readonly Json[] | undefined;
    for (let row = 0; row < count; row++) {
      yield [ids[row] ?? 0, column?.[row] as unknown as Counts];
    }
  }
}

/** Numbers by sender and receiver. The same letter may be in a channel and in an inbox. */
async function lettersUnderWay(
  store: Store,
  heads: readonly Head[],
): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>();
  const note = ({ from, to, event, payload }: Letter): void => {
    if (event !== 'note') return;
    const key = `${from} ${to}`;
    const numbers = found.get(key) ?? new Set();
    found.set(key, numbers.add(Number(payload['n'])));
  };
  const cursors = new Map(heads.map((head) => [head.cell, head.cursors]));
  for (const { cell, inboxCursor } of heads) {
    for (const { seq, from, to, body } of await store.channel(cell, 0)) {
      const kind = channelKind(body);
      if (kind === 'outbox') decodeOutbox(body).far.forEach(note);
      if (kind !== 'mail' || seq <= (cursors.get(to)?.get(from) ?? 0)) continue;
      decodeMail(body).forEach(note);
    }
    for (let after = inboxCursor; ; ) {
      const [posts = []] = await store.inboxes([{ cell, after }]);
      for (const { body } of posts) {
        const post = decodePost(body);
        if ('letters' in post) post.letters.forEach(note);
      }
      const last = posts.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
  }
  return found;
}
