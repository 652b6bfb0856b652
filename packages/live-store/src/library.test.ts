/** The library as text, without a server. */
import {
  BYTES_PER_CALL_MAX,
  BYTES_PER_CELL_MAX,
  CELLS_PER_CALL_MAX,
  DECISIONS_PER_PLAN_MAX,
  GEO_PER_COMMIT_MAX,
  LEAD_TTL_MS_MAX,
  OUT_PER_COMMIT_MAX,
  PLAN_BYTES_MAX,
} from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { cellCommit } from './generated/library.ts';
import { librarySource } from './library.ts';
import { packCall, packItem, readReplies } from './lua-function.ts';

describe('the library', () => {
  test.each(
    Object.entries({
      CELLS_PER_CALL_MAX,
      BYTES_PER_CALL_MAX,
      BYTES_PER_CELL_MAX,
      GEO_PER_COMMIT_MAX,
      OUT_PER_COMMIT_MAX,
      LEAD_TTL_MS_MAX,
      PLAN_BYTES_MAX,
      DECISIONS_PER_PLAN_MAX,
    }),
  )('S-4 %s is what clients know', (name, known) => {
    const text = new RegExp(`^local ${name} = ([\\d* ]+)$`, 'm').exec(librarySource())?.[1] ?? '';
    const value = text.split('*').reduce((product, factor) => product * Number(factor), 1);
    expect(value).toBe(known);
  });

  test('a name that is no name is refused: it would be source', () => {
    expect(() => librarySource('a\nredis.call')).toThrow(
      expect.objectContaining({ code: 'NAME_INVALID' }),
    );
  });
});

describe('the wire form of a call', () => {
  const item = {
    block: 'B',
    meta: 'M',
    log: 'L',
    nonce: 'a.1',
    epoch: '7',
    seq: 1,
    prevHash: '',
    hash: 'h',
    tick: 1,
    idCounter: 0,
    ttlMs: 5,
    inboxFrom: 0,
    inboxTo: 0,
    inboxKeep: 0,
    outTrimTo: 0,
    ending: '',
    heir: '',
    body: new Uint8Array(3),
    checkpoint: new Uint8Array(0),
    cursors: [],
    outs: [],
    geoPuts: [],
    geoDrops: [],
  };

  test('what is not used is not sent, but for what is required', () => {
    const packed = packItem(cellCommit, item);
    expect(packed).toMatchObject({ keys: ['B', 'M', 'L'], bytes: 3 });
    expect(packed.args.slice(0, 5)).toEqual(['10', '0', 'a.1', '7', '1']);
    expect(packed.args).toHaveLength(11);
    expect(packCall(cellCommit, { incarnation: 3, logKeep: 0 }, [packed]).slice(0, 7)).toEqual([
      '3',
      'B',
      'M',
      'L',
      '3',
      '0',
      '1',
    ]);
  });

  test('bits tell which keys, arguments and lists are there, in that order', () => {
    const out = [{ seq: 1, to: 6, body: new Uint8Array(2) }];
    const packed = packItem(cellCommit, { ...item, out: 'O', ending: 'release', outs: out });
    expect(packed.keys).toEqual(['B', 'M', 'L', 'O']);
    expect(packed.bytes).toBe(5);
    const names = [
      ...cellCommit.eachOptionalKeys,
      ...cellCommit.eachOptionalArgs,
      ...cellCommit.eachLists.map(([name]) => name),
    ];
    const bits = ['out', 'ending', 'outs'].map((name) => 2 ** names.indexOf(name as 'out'));
    expect(packed.args[1]).toBe(String(bits.reduce((sum, bit) => sum + bit, 0)));
    expect(packed.args.slice(-5, -1)).toEqual(['release', '1', '1', '6']);
  });

  test.each([undefined, 'OK', [], [['OK', 1]], [['OK', 1, 2, 3]], [['WHAT']], [null]])(
    'an answer that no header declares is REPLY_MALFORMED: %j',
    (raw) => {
      expect(() => readReplies(cellCommit, raw, 1)).toThrow(
        expect.objectContaining({ code: 'REPLY_MALFORMED' }),
      );
    },
  );

  test('an answer becomes named values', () => {
    expect(readReplies(cellCommit, [['OK', 12, 3], ['ALREADY']], 2)).toEqual([
      { tag: 'OK', nowMs: 12, inboxLength: 3 },
      { tag: 'ALREADY' },
    ]);
  });
});
