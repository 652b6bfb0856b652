/** Whoever follows the page of the first world gets what it shows, and what `examples/hello` is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useRedis } from '@leasehold/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { PageShell } from './page-fixture.ts';

const EXAMPLE = join(import.meta.dirname, '../../../examples/hello');

const at = useRedis();

test('every file and command of the page of the first world works as it stands', async () => {
  const shell = new PageShell(at.url);
  onTestFinished(() => shell.close());
  expect(await shell.run('docs/guides/first-world.md', 'hello')).toBe(16);
  for (const file of ['world.ts', 'test.ts', 'world.yaml']) {
    // The page names each file in a line of its own above what is in it.
    const [, ...lines] = readFileSync(join(shell.home, 'hello', file), 'utf8').split('\n');
    expect(lines.join('\n'), file).toBe(readFileSync(join(EXAMPLE, file), 'utf8'));
  }
}, 120_000);
