/** What happens between two looks at a world that goes on: nobody may fall between them (S1, E1). */
import {
  type ChannelEntry,
  encodeCheckpoint,
  encodeCommit,
  encodeMail,
  encodeRows,
  entryHash,
  type Head,
  layerSchema,
  OUTBOX,
  Table,
} from '@leasehold/protocol';
import type { CapturedCell } from '@leasehold/snapshot-store';
import { expect, test } from 'vitest';
import { Capture, type CaptureLayer } from './index.ts';

const schema = layerSchema('main', [
  { name: 'life', version: 1, fields: [{ name: 'hp', kind: 'f64', initial: 0 }] },
]);
const CUT = 5;

function tableOf(...ids: readonly number[]): Table {
  const table = new Table(schema);
  for (const id of ids) table.append(id, 1);
  return table;
}

/** Entity 9 has left cell 0 at the tick of the cut, for a cell that nobody was ever in. */
const leaving: ChannelEntry = {
  seq: 1,
  from: 0,
  to: 1,
  tick: CUT,
  body: encodeRows(tableOf(9), CUT),
};

function headOf(cell: number, more: Partial<Head>): Head {
  return {
    ...{ cell, seq: 0, hash: '', tick: 0, epoch: '5', nonce: '', idCounter: 0, asked: 0 },
    ...{ restoredSeq: 0, outSeq: 0, inboxCursor: 0, cursors: new Map(), checkpoints: [] },
    ...more,
  };
}

/** As soon as somebody has looked which cells there are, it arrives, and the channel is trimmed. */
function storeThatGoesOn(): CaptureLayer['store'] {
  const parts = { births: new Table(schema, 1), deaths: [], departures: [] };
  const body = encodeCommit(tableOf(9), {
    ...{ tick: CUT + 1, idCounter: 0, arrivals: [leaving] },
    ...parts,
  });
  const hash = entryHash('', 1, '5', CUT + 1, body);
  const arrival = { seq: 1, version: 1, epoch: '5', prevHash: '', hash, tick: CUT + 1, body };
  const source = encodeCheckpoint(tableOf(7), { tick: CUT, idCounter: 2 });
  let looks = 0;
  return {
    layer: 'main',
    heads: async (cells) => {
      const hasArrived = looks++ > 0;
      const target = hasArrived ? { seq: 1, hash, tick: CUT + 1, cursors: new Map([[0, 1]]) } : {};
      const heads = [
        headOf(0, { seq: 3, hash: 'a', tick: CUT, idCounter: 2, outSeq: 1 }),
        headOf(1, target),
      ];
      return cells.map((cell) => heads[cell] as Head);
    },
    load: async (cells) =>
      cells.map(({ cell }) =>
        cell === 0
          ? { cell, checkpoint: { seq: 3, hash: 'a', tick: CUT, body: source }, entries: [] }
          : { cell, entries: [arrival] },
      ),
    channel: async () => [],
    inboxes: async (cells) => cells.map(() => []),
  };
}

/** Of two cells: those that are told, and what is on its way. */
async function captured(store: CaptureLayer['store'], neighbours: (cell: number) => number[]) {
  const layers = [{ store, schema, older: () => undefined }];
  const capture = new Capture({ layers, grid: { cells: 2, neighbours }, tick: CUT });
  const cells: CapturedCell[] = [];
  for await (const cell of capture.cells()) cells.push(cell);
  const flights = [...capture.flights()].map(({ cell, channel, posts }) => [cell, channel, posts]);
  return { cells: cells.map(({ cell }) => cell), flights };
}

test('S1 E1 who comes into an empty cell after the cut is on the way at the cut', async () => {
  const { cells, flights } = await captured(storeThatGoesOn(), (cell) => [1 - cell]);
  // Of the other nothing is told: it was empty.
  expect(new Set(cells)).toEqual(new Set([0]));
  expect(flights).toEqual([[0, [leaving], []]]);
});

/** Cell 0 has written before the cut to somebody in cell 1, which is far away. */
const mail = encodeMail(schema, [
  { to: 7, from: 9, n: 0, seq: 1, before: 0, post: '', event: 'note', payload: {}, tick: CUT - 1 },
]);
const letter: ChannelEntry = { seq: 1, from: 0, to: OUTBOX, tick: CUT - 1, body: mail };

/** Its holder is a tick behind. As soon as the inboxes were read, it goes on, and the letter is brought. */
function storeThatBrings(): CaptureLayer['store'] {
  const body = encodeCheckpoint(tableOf(7), { tick: CUT, idCounter: 2 });
  const behind = { seq: 3, hash: 'a', tick: CUT - 1 };
  const there = { seq: 4, hash: 'b', tick: CUT };
  let isBrought = false;
  const placeOf = (cell: number) => (cell === 0 && !isBrought ? behind : there);
  return {
    layer: 'main',
    heads: async (cells) =>
      cells.map((cell) => headOf(cell, { ...placeOf(cell), outSeq: cell === 0 ? 1 : 0 })),
    load: async (cells) =>
      cells.map(({ cell }) => ({ cell, checkpoint: { ...placeOf(cell), body }, entries: [] })),
    channel: async (cell) => (cell === 0 && !isBrought ? [letter] : []),
    inboxes: async (cells) => {
      const isThere = isBrought;
      isBrought = true;
      return cells.map(({ cell, after }) =>
        isThere && cell === 1 && after === 0 ? [{ seq: 1, id: 'letter', body: mail }] : [],
      );
    },
  };
}

test('S1 a letter that was brought between two looks at its channel is on its way at the cut', async () => {
  const { cells, flights } = await captured(storeThatBrings(), () => []);
  // The inbox was read before: the letter was not in it yet.
  expect(cells).toEqual([0, 1, 0]);
  expect(flights).toEqual([[0, [letter], []]]);
});

/**
 * Cell 0 is behind when its channel is read. It goes on to the tick of the cut, and its letter is brought
 * and dropped from the channel, when cell 1 was already read. `isKept`: the pod of cell 1 knows of the cut.
 */
function storeThatIsLate(isKept = true): CaptureLayer['store'] {
  const body = encodeCheckpoint(tableOf(7), { tick: CUT, idCounter: 2 });
  const behind = { seq: 3, hash: 'a', tick: CUT - 1 };
  const there = { seq: 4, hash: 'b', tick: CUT };
  const after = { seq: 5, hash: 'c', tick: CUT + 1 };
  let [isRead, isBrought] = [false, false];
  const parts = { births: new Table(schema, 1), deaths: [], arrivals: [] };
  const departures = [{ to: OUTBOX, seq: 1, ids: [] }];
  const sent = encodeCommit(tableOf(7), { tick: CUT, idCounter: 2, ...parts, departures });
  const entry = { ...there, version: 1, epoch: '5', prevHash: '', body: sent };
  return {
    layer: 'main',
    heads: async (cells) => {
      const n = isBrought ? 1 : 0;
      isBrought = isRead;
      const source = headOf(0, { ...(n === 1 ? there : behind), outSeq: n });
      const target = headOf(1, { ...(n === 1 ? after : there), inboxCursor: n });
      return cells.map((cell) => (cell === 0 ? source : target));
    },
    load: async (cells) =>
      cells.map(({ cell }) => {
        if (cell === 1) return { cell, checkpoint: { ...there, body }, entries: [] };
        const entries = isBrought ? [entry] : [];
        return { cell, checkpoint: { ...behind, body }, entries };
      }),
    channel: async () => [],
    inboxes: async (cells) => {
      const isThere = isBrought && isKept;
      isRead ||= cells.some(({ cell }) => cell === 1);
      return cells.map(({ cell, after: last }) =>
        isThere && cell === 1 && last === 0 ? [{ seq: 1, id: 'letter', body: mail }] : [],
      );
    },
  };
}

test('S1 a letter that was sent and brought after its channel was read is where it was brought', async () => {
  const { cells, flights } = await captured(storeThatIsLate(), () => []);
  expect(cells).toEqual([0, 1, 0]);
  expect(flights).toEqual([[1, [], [{ id: 'letter', body: mail }]]]);
});

test('S1 a letter that was sent on after the cut is at the cut where it was before', async () => {
  const body = encodeCheckpoint(tableOf(7), { tick: CUT, idCounter: 2 });
  const there = { seq: 4, hash: 'b', tick: CUT };
  // Under the second id cell 0 would send another letter, were it put back.
  const posts = ['main:0:1:0', 'main:0:2:0'].map((id, i) => ({ seq: i + 1, id, body: mail }));
  const store: CaptureLayer['store'] = {
    layer: 'main',
    heads: async (cells) =>
      cells.map((cell) => headOf(cell, { ...there, outSeq: cell === 0 ? 1 : 0 })),
    load: async (cells) =>
      cells.map(({ cell }) => ({ cell, checkpoint: { ...there, body }, entries: [] })),
    channel: async () => [],
    inboxes: async (cells) =>
      cells.map(({ cell, after }) => (cell === 1 ? posts.slice(after) : [])),
  };
  const { flights } = await captured(store, () => []);
  expect(flights).toEqual([[1, [], [{ id: 'main:0:1:0', body: mail }]]]);
});

test('S1 if it is there no more, the cut is refused', async () => {
  const reading = captured(storeThatIsLate(false), () => []);
  await expect(reading).rejects.toMatchObject({ code: 'SNAPSHOT_UNSTABLE' });
});

test.each(['CELL_COLD', 'CELL_LOST'] as const)(
  '%s: a cell that cannot be read is named',
  async (code) => {
    const whole = storeThatGoesOn();
    const heads: typeof whole.heads = async (cells) => {
      const found = await whole.heads(cells);
      return found.map((head, i) =>
        cells[i] === 1 ? { tag: 'UNKNOWN', message: 'nobody has it', code } : head,
      );
    };
    const reading = captured({ ...whole, heads }, (cell) => [1 - cell]);
    await expect(reading).rejects.toMatchObject({ code, detail: { field: 'cell', value: '1' } });
  },
);
