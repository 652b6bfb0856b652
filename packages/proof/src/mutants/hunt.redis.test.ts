/** One bug from end to end, so that the hunt itself stays true; all of them take minutes. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hunt, MUTANTS } from './hunt.ts';
import { mutated } from './mutant.ts';
import { copyTree } from './tree.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'the bug %s still has its places in the sources, which stay programs with it',
  (_name, mutant) => {
    const source = readFileSync(join(root, mutant.file), 'utf8');
    const broken = mutated(mutant, source);
    expect(broken).not.toBe(source);
    if (mutant.file.endsWith('.ts')) stripTypeScriptTypes(broken);
  },
);

test('L1 a store that does not ask for the nonce is found out', { timeout: 120_000 }, async () => {
  const mutant = MUTANTS.find(({ name }) => name === 'no-nonce');
  if (mutant === undefined) throw new Error('the list has no such bug');
  const copy = copyTree();
  try {
    const found = await hunt(copy, mutant, { sequences: 200, seed: 1 });
    expect(found).toMatchObject({ mutant: 'no-nonce', suite: 'log', rule: 'L1' });
  } finally {
    copy.close();
  }
});
