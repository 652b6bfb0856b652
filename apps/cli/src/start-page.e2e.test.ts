/** Whoever follows a page of the documentation gets what it shows: its blocks are run as they stand. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { canStartRedis, useRedis } from '@leasehold/testkit';
import { describe, expect, type TestContext, test } from 'vitest';
import { PageShell } from './page-fixture.ts';

const BLOCKS_MIN = 10;
const AUTHORITY_BLOCKS = 15;
const PAGE_MS_MAX = 300_000;

const at = useRedis();
const hasGit = (): boolean => spawnSync('git', ['--version']).error === undefined;

/** A folder of the page's own, gone when its test is over. */
function opened({ onTestFinished }: TestContext): PageShell {
  const shell = new PageShell(at.url);
  onTestFinished(() => shell.close());
  return shell;
}

// Side by side, as most of each is the seconds that its commands are told to take. Their worlds have
// different names, and chaos has servers of its own.
describe('a page of the documentation', { concurrent: true }, () => {
  test(
    'every file and command of the first page works as it stands',
    async (context) => {
      const blocks = await opened(context).run('docs/start.md', 'fireflies');
      expect(blocks).toBeGreaterThan(BLOCKS_MIN);
    },
    PAGE_MS_MAX,
  );

  test(
    'every command of the page about pods and plans shows what it says',
    async (context) => {
      expect(await opened(context).run('docs/guides/authority.md')).toBe(AUTHORITY_BLOCKS);
    },
    PAGE_MS_MAX,
  );

  test(
    'every command of the page about time shows what it says',
    async (context) => {
      expect(await opened(context).run('docs/guides/time.md')).toBe(6);
    },
    PAGE_MS_MAX,
  );

  test(
    'every command of the page about worlds that change shows what it says',
    async (context) => {
      expect(await opened(context).run('docs/guides/worlds.md')).toBe(10);
    },
    PAGE_MS_MAX,
  );

  test.skipIf(!hasGit())(
    'every file and command of the page about prefabs works as it stands (needs a git program)',
    async (context) => {
      const shell = opened(context);
      mkdirSync(join(shell.home, 'pasture'));
      expect(await shell.run('docs/guides/prefabs.md', 'pasture')).toBe(14);
    },
    PAGE_MS_MAX,
  );

  test.skipIf(!canStartRedis())(
    'every command of the page about chaos shows what it says (needs a redis-server program)',
    async (context) => {
      expect(await opened(context).run('docs/guides/chaos.md')).toBe(4);
    },
    PAGE_MS_MAX,
  );
});
