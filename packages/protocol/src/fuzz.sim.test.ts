/**
 * Goal: whatever bytes a decoder is given, it answers a value or says what is wrong with them.
 * Method: valid bodies of random histories, mutated; a body that is accepted must have one
 * spelling.
 */
import { createRandom, LeaseholdError } from '@leasehold/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyCommit,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  encodeCheckpoint,
  encodeRows,
  inspectCheckpoint,
  inspectCommit,
  inspectRows,
  Table,
} from './index.ts';
import { kitchenSink, mutated, play, recoded, ticks } from './testing.ts';

const RUNS = 20_000;
/** No input here is longer than a few KB, so this is far above what any takes. */
const MS_MAX = 50;
/** Other work on the machine must not fail what only takes long. */
const SLOW = { timeout: 120_000 };
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
function fuzz<T>(
  seed: number,
  valid: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T,
  again?: (value: T, index: number) => Uint8Array | undefined,
): { accepted: number; refused: number } {
  const random = createRandom(seed);
  const seen = { accepted: 0, refused: 0 };
  const slow: Uint8Array[] = [];
  for (let run = 0; run < RUNS; run++) {
    const index = random.below(valid.length);
    const other = valid[random.below(valid.length)] as Uint8Array;
    const bytes = mutated(valid[index] as Uint8Array, other, random, 9);
    const startMs = performance.now();
    try {
      const value = decode(bytes);
      const spelling = again?.(value, index) ?? bytes;
      if (Buffer.compare(spelling, bytes) !== 0) throw new Error(`another spelling: ${spelling}`);
      seen.accepted++;
    } catch (error) {
      const isFault = error instanceof LeaseholdError;
      if (!isFault || !['BODY_MALFORMED', 'SCHEMA_INCOMPATIBLE'].includes(error.code)) {
        throw new Error(`SIM_SEED=${seed} run ${run}`, { cause: error });
      }
      seen.refused++;
    }
    if (performance.now() - startMs > MS_MAX) slow.push(bytes);
  }
  // A busy machine may stall any run; only one that is slow every time is slow by itself.
  for (const bytes of slow) {
    const times = [1, 2, 3, 4, 5].map(() => durationMs(() => decode(bytes)));
    expect(Math.min(...times), `SIM_SEED=${seed}`).toBeLessThan(MS_MAX);
  }
  return seen;
}

function durationMs(action: () => unknown): number {
  const startMs = performance.now();
  try {
    action();
  } catch {
    // Refusals count too.
  }
  return performance.now() - startMs;
}

describe.each(seeds)(`a decoder given ${RUNS} damaged bodies (SIM_SEED=%i)`, SLOW, (seed) => {
  const of = (kind: 'commit' | 'checkpoint' | 'rows') => corpus.map((entry) => entry[kind]);
  const both = { accepted: expect.toSatisfy(above(100)), refused: expect.toSatisfy(above(5_000)) };

  test('of commits refuses by code or reads what has one spelling, and so does applying', () => {
    const seen = fuzz(
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
    expect(fuzz(seed, of('checkpoint'), decode, (c) => encodeCheckpoint(c.table, c))).toEqual(both);
  });

  test('of channel entries refuses by code or reads what has one spelling', () => {
    const decode = (bytes: Uint8Array) => decodeRows(bytes, kitchenSink);
    expect(fuzz(seed, of('rows'), decode, ({ rows, tick }) => encodeRows(rows, tick))).toEqual(
      both,
    );
  });

  test('that inspects without a schema refuses by code or reads', () => {
    expect(fuzz(seed, of('commit'), inspectCommit)).toEqual(both);
    expect(fuzz(seed, of('checkpoint'), inspectCheckpoint)).toEqual(both);
    expect(fuzz(seed, of('rows'), inspectRows)).toEqual(both);
  });
});

function above(least: number): (value: number) => boolean {
  return (value) => value > least;
}
