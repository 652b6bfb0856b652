/** The live map of the flights world, in a real Chromium, on real pods: what a newcomer sees. */
import { eventually, useChromium, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changedShare, MapPage, WAIT_MS } from './page-fixture.ts';
import { LiveWorld } from './world-fixture.ts';

const CELLS = 648;
/** Simulated hours pass in a minute, so some dozens land and depart each second. */
const IN_A_MOMENT = 400;
const TEST_MS_MAX = 3 * WAIT_MS;

const at = useRedis();
const chromium = useChromium();
let world: LiveWorld;

beforeAll(async () => {
  if (chromium.missing === '') world = await LiveWorld.open('flights', at.url);
}, TEST_MS_MAX);

afterAll(() => world?.close(), TEST_MS_MAX);

/** One page for the tests of a `describe`, as each takes seconds to be live; read it inside tests. */
function usePage(): () => MapPage {
  let map: MapPage;
  beforeAll(async () => {
    if (chromium.missing === '') map = await MapPage.open(chromium.browser, world.address);
  }, TEST_MS_MAX);
  afterAll(() => map?.close(), TEST_MS_MAX);
  return () => map;
}

const figure = async (map: MapPage, name: string): Promise<number> => {
  const text = await map.page
    .locator('.figures dl > div', { hasText: name })
    .locator('dd')
    .textContent();
  return Number(text?.replaceAll(',', ''));
};

describe('the page', () => {
  const page = usePage();

  test(
    'it loads under its policy without a fault, and shows land, aircraft, pods and figures',
    async () => {
      const map = page();
      const files = [...map.responses.keys()];
      expect(files).toContainEqual(expect.stringMatching(/^\/assets\/land-.+\.js$/));
      expect(map.responses.get('/')?.['content-security-policy']).not.toContain('unsafe');
      await eventually(async () => (await map.meter()).entities > 7_000, WAIT_MS);
      await eventually(async () => (await map.meter()).drawn > 7_000, WAIT_MS);
      await eventually(async () => {
        const pods = Object.values(await map.pods());
        const cells = pods.reduce((sum, pod) => sum + pod.cells, 0);
        const complete = pods.filter(
          ({ pid, isGone, entities, tickMs, commitsPerS }) =>
            pid > 0 && !isGone && entities > 0 && tickMs > 0 && commitsPerS > 0,
        );
        return complete.length === 3 && pods.length === 3 && cells === CELLS;
      }, WAIT_MS);
      expect(await map.page.locator('tr[data-pod] button', { hasText: 'kill' }).count()).toBe(3);
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );

  test(
    'aircraft move on the picture, and the total is what a query counts',
    async () => {
      const map = page();
      const before = await map.meter();
      for (const layer of ['holders', 'cells']) {
        await map.page.getByRole('button', { name: layer, exact: true }).click();
      }
      await eventually(async () => (await map.meter()).tick > before.tick, WAIT_MS);
      const canvas = map.page.locator('#map canvas');
      const first = await canvas.screenshot();
      await eventually(async () => !first.equals(await canvas.screenshot()), WAIT_MS);

      const [from, found, to] = [
        await map.figure('entities'),
        await world.query('world&components=position&limit=10000'),
        await map.figure('entities'),
      ];
      expect(found.truncated).toBe(false);
      expect(found.entities.length).toBeGreaterThan(Math.min(from, to) - IN_A_MOMENT);
      expect(found.entities.length).toBeLessThan(Math.max(from, to) + IN_A_MOMENT);
      const { entities } = await map.meter();
      expect(Math.abs(entities - (await map.figure('entities')))).toBeLessThan(IN_A_MOMENT);
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );

  test(
    'files with a hash in their name are kept forever, the page itself is asked for again',
    async () => {
      const map = page();
      expect(map.responses.get('/')?.['cache-control']).toBe('no-cache');
      const assets = [...map.responses].filter(([path]) => path.startsWith('/assets/'));
      expect(assets.length).toBeGreaterThan(3);
      for (const [, headers] of assets) {
        expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      }
      await map.page.goto('about:blank');
      await map.page.goto(world.address);
      await map.untilLive();
      const fetched = await map.page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter((entry): entry is PerformanceResourceTiming => entry.name.includes('/assets/'))
          .map(({ name, transferSize }) => [name, transferSize] as const)
          .filter(([, size]) => size > 0),
      );
      expect(fetched).toEqual([]);
    },
    TEST_MS_MAX,
  );
});

/** Looks twenty times a second, in the page, at how many the map has and the panel says. */
function sample(map: MapPage): Promise<void> {
  return map.page.evaluate(() => {
    const seen = { shown: [] as number[], said: [] as number[] };
    const total = document.querySelector('[data-testid=entities]');
    Object.assign(window, { seen });
    setInterval(() => {
      seen.shown.push(window.leaseholdMeter?.entities ?? 0);
      seen.said.push(Number(total?.textContent?.replaceAll(',', '')));
    }, 50);
  });
}

const sampled = (map: MapPage): Promise<{ shown: number[]; said: number[] }> =>
  map.page.evaluate(
    () => (window as unknown as { seen: { shown: number[]; said: number[] } }).seen,
  );

const largestDrop = (counts: readonly number[]): number =>
  Math.max(0, ...counts.slice(1).map((count, i) => counts[i]! - count));

describe('a death', () => {
  const page = usePage();

  test(
    'of a pod, by its button: others take its cells, another pod comes, and nobody blinks out',
    async () => {
      const map = page();
      await eventually(async () => Object.values(await map.pods()).length === 3, WAIT_MS);
      const [victim, before] = Object.entries(await map.pods()).sort(
        ([, a], [, b]) => b.entities - a.entities,
      )[0]!;
      const picture = await map.blocks();
      expect(changedShare(picture, await map.blocks())).toBeLessThan(0.03);
      const verdicts = (await map.feed()).filter(({ tone }) => tone === 'good').length;
      const total = await map.figure('entities');
      const deaths = await figure(map, 'deaths');
      await sample(map);

      await map.page.getByRole('button', { name: `kill -9 ${victim}`, exact: true }).click();
      await eventually(async () => (await map.pods())[victim]?.isGone !== false, WAIT_MS);
      const line = await eventually(
        async () => (await map.feed()).find(({ text }) => text.startsWith(`${victim} died`)),
        WAIT_MS,
      );
      expect(line?.tone).toBe('death');
      expect(line?.text).toMatch(/died: [\d,]+ cells taken by pod-.+ in [\d,]+ ms, [\d,]+ ticks?$/);
      await eventually(async () => {
        const pods = Object.entries(await map.pods()).filter(([, { isGone }]) => !isGone);
        const cells = pods.reduce((sum, [, pod]) => sum + pod.cells, 0);
        return pods.length === 3 && cells === CELLS && pods.every(([, pod]) => pod.cells > 0);
      }, WAIT_MS);
      const verdict = await eventually(async () => {
        const good = (await map.feed()).filter(({ tone }) => tone === 'good');
        return good.length > verdicts ? good[0] : undefined;
      }, WAIT_MS);
      expect(verdict?.text).toMatch(/^auditor: nothing lost, [78],\d{3} entities$/);
      expect((await map.feed()).filter(({ tone }) => tone === 'bad')).toEqual([]);

      const { shown, said } = await sampled(map);
      expect(shown.length).toBeGreaterThan(20);
      const died = (await figure(map, 'deaths')) - deaths;
      const least = total - died - IN_A_MOMENT;
      expect(Math.min(...shown)).toBeGreaterThan(least);
      expect(Math.min(...said)).toBeGreaterThan(least);
      // What the dead one had is a third of all: never gone at once, never in part.
      expect(largestDrop(shown)).toBeLessThan(before.entities / 4);
      // Its cells have other colours by now; they are about a third of half the picture.
      expect(changedShare(picture, await map.blocks())).toBeGreaterThan(0.06);
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );

  test(
    'of a gateway is said, and the page is live again by itself',
    async () => {
      const map = page();
      const [gateway] = await world.children('view-gateway');
      process.kill(gateway!, 'SIGKILL');
      const banner = map.page.getByRole('alert');
      await banner.waitFor();
      expect(await banner.textContent()).toContain('Reconnecting');
      await banner.waitFor({ state: 'detached' });
      const { tick, reconnects } = await map.meter();
      expect(reconnects).toBeGreaterThan(0);
      await map.untilLive();
      await eventually(async () => (await map.meter()).tick > tick, WAIT_MS);
      expect((await map.meter()).entities).toBeGreaterThan(7_000);
    },
    TEST_MS_MAX,
  );
});

test(
  'Ctrl-C ends everything: the report is green, and no process and no port is left',
  async () => {
    const children = await world.children();
    expect(children).toHaveLength(5);
    const { code, report } = await world.end();
    expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
    expect([code, report.kills]).toEqual([0, 1]);
    const alive = children.filter((pid) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    });
    expect(alive).toEqual([]);
    await expect(fetch(world.address)).rejects.toThrow();
  },
  TEST_MS_MAX,
);
