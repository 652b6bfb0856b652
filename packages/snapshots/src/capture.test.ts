/** What happens between two looks at a world that goes on: nobody may fall between them (S1, E1). */
import {
  type ChannelEntry,
  encodeCheckpoint,
  encodeCommit,
  encodeRows,
  entryHash,
  type Head,
  layerSchema,
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

test('S1 E1 who comes into an empty cell after the cut is on the way at the cut', async () => {
  const layer = { store: storeThatGoesOn(), schema, older: () => undefined };
  const grid = { cells: 2, neighbours: (cell: number) => [1 - cell] };
  const capture = new Capture({ layers: [layer], grid, tick: CUT });
  const cells: CapturedCell[] = [];
  for await (const cell of capture.cells()) cells.push(cell);
  // Of the other nothing is told: it was empty.
  expect(new Set(cells.map(({ cell }) => cell))).toEqual(new Set([0]));
  const flights = [...capture.flights()];
  expect(flights.map(({ cell, channel }) => [cell, channel])).toEqual([[0, [leaving]]]);
});
