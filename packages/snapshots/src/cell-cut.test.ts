/** A cell at the end of a tick, whenever it was read: the same, or said to be out of reach. */
import { hasCode } from '@leasehold/kernel';
import {
  encodeCheckpoint,
  encodeCommit,
  encodeMail,
  entryHash,
  type Head,
  type LogEntry,
  layerSchema,
  type Post,
  Table,
} from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { type CellReading, cutCell } from './cell-cut.ts';

const schema = layerSchema('main', [
  { name: 'life', version: 1, fields: [{ name: 'hp', kind: 'f64', initial: 0 }] },
]);
const none = () => undefined;
const LETTER = { to: 1, from: 2, n: 0, seq: 1, before: 0, post: '', event: 'note', payload: {} };

/** Ticks 1 to 9: entity 1 gains a point in each, sends in even ones and reads a post in odd ones. */
function history() {
  const table = new Table(schema);
  table.append(1, 1);
  const entries: LogEntry[] = [];
  const posts: Post[] = [];
  let hash = '';
  let [outSeq, inbox] = [0, 0];
  const images = [encodeCheckpoint(table, { tick: 0, idCounter: 1 })];
  for (let tick = 1; tick <= 9; tick++) {
    (table.columns[0]?.[0] as Float64Array)[0] = tick;
    (table.dirty[0] as Uint32Array)[0] = 1;
    const isSending = tick % 2 === 0;
    const departures = isSending ? [{ to: 7, seq: ++outSeq, ids: [] }] : [];
    const parts = { births: new Table(schema, 1), arrivals: [], deaths: [], departures };
    const body = encodeCommit(table, { tick, idCounter: 1 + tick, ...parts });
    table.clearDirty();
    const prevHash = hash;
    hash = entryHash(prevHash, tick, '5', tick, body);
    const consumed = isSending ? {} : { inbox: { from: inbox, to: ++inbox } };
    if (!isSending) posts.push({ seq: inbox, id: `p${inbox}`, body: mail(tick - 1) });
    entries.push({ seq: tick, version: 1, epoch: '5', prevHash, hash, tick, body, ...consumed });
    images.push(encodeCheckpoint(table, { tick, idCounter: 1 + tick }));
  }
  posts.push({ seq: inbox + 1, id: 'late', body: mail(9) });
  return { entries, posts, images, hash };
}

const mail = (tick: number): Uint8Array =>
  encodeMail(schema, [{ ...LETTER, tick: Math.max(1, tick) }]);

const headAt = ({ entries }: ReturnType<typeof history>, tick: number): Head => ({
  ...{ cell: 3, seq: tick, hash: entries[tick - 1]?.hash ?? '', tick, epoch: '5', nonce: '' },
  ...{ idCounter: 1 + tick, asked: 2, restoredSeq: 0, outSeq: Math.floor(tick / 2) },
  ...{ inboxCursor: Math.ceil(tick / 2), cursors: new Map(), checkpoints: [] },
});

const readAt = (headTick: number): CellReading => {
  const all = history();
  const { entries, posts, images } = all;
  const checkpoint = { seq: 0, hash: '', tick: 0, body: images[0] as Uint8Array };
  const image = { cell: 3, checkpoint, entries };
  const head = headAt(all, headTick);
  return { head, image, posts, inboxEnd: head.inboxCursor, lastSent: () => 0 };
};

test('S1 it is the same whether its head was read before, at, or after the cut', () => {
  const cuts = [2, 5, 9].map((head) => cutCell(readAt(head), 5, schema, none));
  for (const cut of cuts) {
    const { rows, letters, ...rest } = cut;
    const { hash } = history().entries[4] ?? { hash: '' };
    const at = { cell: 3, seq: 5, hash, tick: 5, idCounter: 6, asked: 2, outSeq: 2, count: 1 };
    expect(rest).toMatchObject({ ...at, read: { seq: 9, tick: 9 } });
    // Of the posts behind the third those that were written by then.
    expect(letters).toEqual([]);
    expect(rows).toEqual(cuts[0]?.rows);
  }
  const seen = cutCell(readAt(9), 6, schema, none);
  expect(seen.letters.map(({ id }) => id)).toEqual(['p4']);
});

test('S1 what is not there any more is SNAPSHOT_UNSTABLE, never a guess', () => {
  const all = history();
  const checkpoint = { seq: 7, hash: 'x', tick: 7, body: all.images[7] as Uint8Array };
  const late = { ...readAt(9), image: { cell: 3, checkpoint, entries: all.entries.slice(7) } };
  const trimmed = { ...readAt(9), posts: all.posts.slice(4) };
  // Whoever took the next post since its head was read has dropped it.
  const dropped = { ...readAt(5), inboxEnd: 5, posts: all.posts.slice(4) };
  // Or between two looks at its posts: then some are missing between them, or at the end.
  const holed = { ...readAt(9), posts: all.posts.filter(({ seq }) => seq !== 5) };
  const ended = { ...readAt(9), posts: all.posts.slice(0, 4) };
  for (const reading of [late, trimmed, dropped, holed, ended]) {
    let code = false;
    try {
      cutCell(reading, 5, schema, none);
    } catch (error) {
      code = hasCode(error, 'SNAPSHOT_UNSTABLE');
    }
    expect(code).toBe(true);
  }
});
