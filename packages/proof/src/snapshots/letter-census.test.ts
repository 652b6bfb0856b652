/** Whether a letter is lost is decided by all places where it may be (M1). */
import {
  encodeOutbox,
  type Head,
  type Json,
  type Letter,
  layerSchema,
  OUTBOX,
  Table,
} from '@leasehold/protocol';
import { LETTERS_COMPONENT } from '@leasehold/sdk/engine';
import { expect, test } from 'vitest';
import { letterFaults } from './letter-census.ts';

const json = (name: string) => ({ name, kind: 'json' as const, initial: {} });
const faults = { name: 'faults', kind: 'f64' as const, initial: 0 };
const schema = layerSchema('main', [
  { name: LETTERS_COMPONENT, version: 1, fields: [json('held')] },
  { name: 'sent', version: 1, fields: [json('to')] },
  { name: 'got', version: 1, fields: [json('from'), faults] },
]);
const [SENDER, RECEIVER] = [1, 2];

const letter = (n: number): Letter => ({
  ...{ to: RECEIVER, from: SENDER, tick: n, n: 0, seq: n, before: n - 1, post: '' },
  ...{ event: 'note', payload: { n } },
});

/** The sender has written three; the first is still in the channel of its cell. */
async function faultsWith(held: readonly Letter[]): Promise<string[]> {
  const table = new Table(schema);
  const put = (id: number, values: Readonly<Record<string, Json>>): void => {
    const row = table.append(id, 0b111);
    for (const [c, { name, fields }] of schema.components.entries()) {
      const column = table.columns[c]?.[fields.findIndex(({ kind }) => kind === 'json')];
      (column as Json[])[row] = values[name] ?? {};
    }
  };
  put(SENDER, { [LETTERS_COMPONENT]: [], sent: { [RECEIVER]: 3 } });
  put(RECEIVER, { [LETTERS_COMPONENT]: held as unknown as Json });
  const head = { cell: 0, inboxCursor: 0, cursors: new Map() } as unknown as Head;
  const body = encodeOutbox(schema, { far: [letter(1)], dead: [], answers: [] });
  const store = {
    channel: async () => [{ seq: 1, from: 0, to: OUTBOX, tick: 1, body }],
    inboxes: async () => [[]],
  };
  return letterFaults(store, [head], [table]);
}

test('M1 who holds a letter back until an earlier one comes has not lost it', async () => {
  expect(await faultsWith([letter(2), letter(3)])).toEqual([]);
  expect(await faultsWith([letter(3)])).toEqual(['M1: lost of 1 to 2: 2']);
  // What others hold back is not there.
  expect(await faultsWith([letter(2), { ...letter(3), to: SENDER }])).toEqual([
    'M1: lost of 1 to 2: 3',
  ]);
});
