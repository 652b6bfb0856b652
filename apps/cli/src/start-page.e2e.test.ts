/** Whoever follows a page of the documentation gets what it shows: its blocks are run as they stand. */
import { canStartRedis, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PageShell } from './page-fixture.ts';

const BLOCKS_MIN = 10;
const PAGE_MS_MAX = 300_000;

const at = useRedis();
let shell: PageShell;

beforeEach(() => {
  shell = new PageShell(at.url);
});

afterEach(() => shell.close());

test(
  'every file and command of the first page works as it stands',
  async () => {
    expect(await shell.run('docs/start.md', 'fireflies')).toBeGreaterThan(BLOCKS_MIN);
  },
  PAGE_MS_MAX,
);

test.skipIf(!canStartRedis())(
  'every command of the page about chaos shows what it says (needs a redis-server program)',
  async () => {
    expect(await shell.run('docs/guides/chaos.md')).toBe(4);
  },
  PAGE_MS_MAX,
);
