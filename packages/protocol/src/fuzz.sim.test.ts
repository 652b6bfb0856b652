/**
 * Goal: whatever bytes a decoder is given, it answers a value or says what is wrong with them.
 * Method: valid bodies of random histories, mutated; a body that is taken must have one spelling.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FUZZ_RUNS, fuzz } from './fuzz-fixture.ts';
import {
  applyCommit,
  channelKind,
  decodeCheckpoint,
  decodeCommit,
  decodeMail,
  decodeOutbox,
  decodePost,
  decodeRows,
  encodeCheckpoint,
  encodeMail,
  encodeOutbox,
  encodeRequest,
  encodeRows,
  inspectCheckpoint,
  inspectCommit,
  inspectRows,
  type Letter,
  Table,
} from './index.ts';
import { kitchenSink, play, recoded, ticks } from './testing.ts';

/** A hundred thousand inputs a decoder; other work on the machine must not fail it. */
const SLOW = { timeout: 240_000 };
const seeds = process.env['SIM_SEED'] ? [Number(process.env['SIM_SEED'])] : [1];

/** Bodies of ticks with the state each extends. */
const corpus = fc.sample(ticks, { numRuns: 12, seed: 42 }).flatMap((history) => {
  const table = new Table(kitchenSink, 1);
  const nextId = { id: 0 };
  return history.map((tick, i) => {
    const before = table.pick(Array.from({ length: table.count }, (_, row) => row));
    const commit = play(table, tick, i + 1, nextId);
    const checkpoint = encodeCheckpoint(table, { tick: i, idCounter: nextId.id });
    return { before, commit, checkpoint, rows: encodeRows(table, i) };
  });
});

/** Runs the decoder on mutants; `again` answers the spelling of what was decoded. */
function fuzzed<T>(
  seed: number,
  valid: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T,
  again?: (value: T, index: number) => Uint8Array | undefined,
): { taken: number; refused: number } {
  return fuzz({
    ...{ seed, valid, spared: 9 },
    codes: ['BODY_MALFORMED', 'SCHEMA_INCOMPATIBLE'],
    read(bytes, index) {
      const value = decode(bytes);
      const spelling = again?.(value, index) ?? bytes;
      if (Buffer.compare(spelling, bytes) !== 0) throw new Error(`another spelling: ${spelling}`);
      return true;
    },
  });
}

describe.each(seeds)(`a decoder given ${FUZZ_RUNS} damaged bodies (SIM_SEED=%i)`, SLOW, (seed) => {
  const of = (kind: 'commit' | 'checkpoint' | 'rows') => corpus.map((entry) => entry[kind]);
  const both = {
    taken: expect.toSatisfy(above(500)),
    broken: 0,
    refused: expect.toSatisfy(above(25_000)),
  };

  test('of commits refuses by code or reads what has one spelling, and so does applying', () => {
    const seen = fuzzed(
      seed,
      of('commit'),
      (bytes) => decodeCommit(bytes, kitchenSink),
      (body, index) => {
        const { before } = corpus[index] as (typeof corpus)[number];
        const spelling = recoded(body);
        try {
          applyCommit(before.pick(Array.from(before.ids.subarray(0, before.count).keys())), body);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BODY_MALFORMED' });
        }
        return spelling;
      },
    );
    expect(seen).toEqual(both);
  });

  test('of checkpoints refuses by code or reads what has one spelling', () => {
    const decode = (bytes: Uint8Array) => decodeCheckpoint(bytes, kitchenSink);
    expect(fuzzed(seed, of('checkpoint'), decode, (c) => encodeCheckpoint(c.table, c))).toEqual(
      both,
    );
  });

  test('of channel entries refuses by code or reads what has one spelling', () => {
    const decode = (bytes: Uint8Array) => {
      // One that became letters has no rows to spell.
      if (channelKind(bytes) !== 'rows') decodeMail(bytes);
      return decodeRows(bytes, kitchenSink);
    };
    expect(fuzzed(seed, of('rows'), decode, ({ rows, tick }) => encodeRows(rows, tick))).toEqual(
      both,
    );
  });

  test('of letters refuses by code or reads', () => {
    expect(fuzzed(seed, [encodeMail(kitchenSink, LETTERS)], decodeMail)).toEqual(both);
    const dead = [{ letter: LETTERS[0] as Letter, reason: 'GONE', message: 'nowhere' }] as const;
    const answer = { tag: 'APPLIED', cell: 3, tick: 9 } as const;
    const outbox = { far: LETTERS, dead, answers: [{ id: 'a', answer }] };
    expect(fuzzed(seed, [encodeOutbox(kitchenSink, outbox)], decodeOutbox)).toEqual(both);
    const request = { kind: 'patch', id: 7, set: { a: { b: 1 } }, remove: ['c'] } as const;
    const posts = [encodeRequest(request), encodeMail(kitchenSink, LETTERS)];
    expect(fuzzed(seed, posts, decodePost)).toEqual(both);
  });

  test('that inspects without a schema refuses by code or reads', () => {
    expect(fuzzed(seed, of('commit'), inspectCommit)).toEqual(both);
    expect(fuzzed(seed, of('checkpoint'), inspectCheckpoint)).toEqual(both);
    expect(fuzzed(seed, of('rows'), inspectRows)).toEqual(both);
  });
});

const LETTERS: readonly Letter[] = [
  {
    ...{ to: 77, from: 4_294_967_297, tick: 12, n: 1, seq: 5, before: 4, post: '' },
    ...{ event: 'note', payload: { text: 'hello', n: 3, list: [1, { a: null }] } },
  },
  {
    ...{ to: 78, from: 0, tick: 13, n: 0, seq: 0, before: 0, post: 'request-1', event: '' },
    ...{ payload: {}, request: { kind: 'delete', id: 78 }, isSuspect: true },
  },
];

function above(least: number): (value: number) => boolean {
  return (value) => value > least;
}
