/**
 * Damaged bytes for decoders, for tests. Whatever bytes a decoder is given, it answers or refuses
 * by one of its codes, soon, and in memory that the bytes account for.
 */
import { getHeapStatistics } from 'node:v8';
import { createRandom, hasCode, type LeaseholdError } from '@leasehold/kernel';
import { mutated } from './testing.ts';

/** Enough to reach every refusal of every decoder some hundred times. */
export const FUZZ_RUNS = 100_000;
/** No input here is longer than a few KB, so this is far above what any takes. */
const MS_MAX = 50;
/**
 * What one input may occupy at once: garbage of the tables that a test makes to decode into
 * included. A decoder that believes a claimed length makes gigabytes.
 */
const BYTES_MAX = 4 * 1024 * 1024;

export type FuzzTarget = {
  readonly seed: number;
  readonly valid: readonly Uint8Array[];
  /** The first bytes are left alone mostly, or little else would be tried. */
  readonly spared: number;
  /** Refusals are errors of these codes; anything else thrown is a fault. */
  readonly codes: readonly LeaseholdError['code'][];
  /** Decodes; `index` is the valid input that was damaged. False counts as `broken`. */
  read(bytes: Uint8Array, index: number): boolean;
};

/** What became of `FUZZ_RUNS` inputs. Throws with seed and run at the first fault. */
export function fuzz(target: FuzzTarget): { taken: number; broken: number; refused: number } {
  const { seed, valid, spared } = target;
  const random = createRandom(seed);
  const seen = { taken: 0, broken: 0, refused: 0 };
  const slow: [Uint8Array, number][] = [];
  for (let run = 0; run < FUZZ_RUNS; run++) {
    const index = random.below(valid.length);
    const other = valid[random.below(valid.length)] as Uint8Array;
    const bytes = mutated(valid[index] as Uint8Array, other, random, spared);
    const startMs = performance.now();
    const before = occupiedBytes();
    try {
      seen[answer(target, bytes, index)]++;
      // The collector may have run between the two; then this one says nothing.
      const occupied = occupiedBytes() - before;
      if (occupied > BYTES_MAX) throw new Error(`${bytes.length} bytes took ${occupied}`);
    } catch (cause) {
      throw new Error(`SIM_SEED=${seed} run ${run}`, { cause });
    }
    if (performance.now() - startMs > MS_MAX) slow.push([bytes, index]);
  }
  // A busy machine may stall any run; only one that is slow every time is slow by itself.
  for (const [bytes, index] of slow) {
    const times = [1, 2, 3, 4, 5].map(() => durationMs(() => answer(target, bytes, index)));
    if (Math.min(...times) > MS_MAX) throw new Error(`SIM_SEED=${seed}: ${times} ms for ${bytes}`);
  }
  return seen;
}

function answer(target: FuzzTarget, bytes: Uint8Array, index: number) {
  try {
    return target.read(bytes, index) ? 'taken' : 'broken';
  } catch (error) {
    if (target.codes.some((code) => hasCode(error, code))) return 'refused';
    throw error;
  }
}

function occupiedBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

function durationMs(action: () => unknown): number {
  const startMs = performance.now();
  action();
  return performance.now() - startMs;
}
