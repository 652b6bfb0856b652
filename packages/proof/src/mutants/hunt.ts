/** Whether the proof finds a bug: with which suite, by which promise, and after how many histories. */
import { LUA_MUTANTS } from './lua-mutants.ts';
import type { Mutant } from './mutant.ts';
import { SCRIPT_MUTANTS } from './script-mutants.ts';
import type { Copy } from './tree.ts';

export const MUTANTS: readonly Mutant[] = [...LUA_MUTANTS, ...SCRIPT_MUTANTS];

export type Hunt = {
  readonly mutant: string;
  /** '' when nothing found it. */
  readonly suite: string;
  readonly rule: string;
  /** Histories until it was found, or all that were tried. */
  readonly after: number;
};

export type HuntOptions = {
  readonly sequences: number;
  readonly seed: number;
};

/** Tries one suite after the other until one finds the bug. */
export async function hunt(copy: Copy, mutant: Mutant, options: HuntOptions): Promise<Hunt> {
  const { sequences, seed } = options;
  return copy.with(mutant, async () => {
    let tried = 0;
    for (const suite of mutant.suites) {
      const words = ['--suite', suite, '--sequences', sequences, '--seed', seed, '--shrink', 0];
      const { code, lines } = await copy.prove([...words.map(String), '--json']);
      const result = JSON.parse(lines.at(-1) ?? '{}') as {
        readonly sequences?: number;
        readonly finding?: { readonly rule: string; readonly after: number };
      };
      if (result.finding !== undefined) {
        const { rule, after } = result.finding;
        return { mutant: mutant.name, suite, rule, after };
      }
      if (code !== 0 || result.sequences === undefined) {
        throw new Error(`${mutant.name}: the proof did not run: ${lines.join('\n')}`);
      }
      tried += result.sequences;
    }
    return { mutant: mutant.name, suite: '', rule: '', after: tried };
  });
}
