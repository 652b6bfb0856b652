/** The page in everybody's hands: a keyboard alone, a finger, dark and light, a screen reader. */
import { eventually, useChromium, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { changedShare, MapPage, WAIT_MS } from './page-fixture.ts';
import { LiveWorld } from './world-fixture.ts';

const TEST_MS_MAX = 3 * WAIT_MS;
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
/** Less cannot be hit with a finger. */
const TARGET_PX_MIN = 44;

const at = useRedis();
const chromium = useChromium();
let world: LiveWorld;

beforeAll(async () => {
  if (chromium.missing === '') world = await LiveWorld.open('flights', at.url);
}, TEST_MS_MAX);

afterAll(() => world?.close(), TEST_MS_MAX);

async function opened(options: Parameters<typeof MapPage.open>[2] = {}): Promise<MapPage> {
  const map = await MapPage.open(chromium.browser, world.address, options);
  onTestFinished(() => map.close());
  return map;
}

/** One page for the tests of a `describe`, as each takes seconds to be live; read it inside tests. */
function usePage(options: Parameters<typeof MapPage.open>[2] = {}): () => MapPage {
  let map: MapPage;
  beforeAll(async () => {
    if (chromium.missing === '') map = await MapPage.open(chromium.browser, world.address, options);
  }, TEST_MS_MAX);
  afterAll(() => map?.close(), TEST_MS_MAX);
  return () => map;
}

/** One that does not land soon: it has most of a long way before it. */
async function longFlight(): Promise<number> {
  const { tick, entities } = await world.query('world&components=flight&with=flight&limit=2000');
  const best = entities
    .map(({ id, components }) => {
      const { distanceM, speedMps, departedAtTick } = components['flight'] ?? {};
      const takesS = Number(distanceM) / Number(speedMps) / 60;
      return { id, leftS: takesS - (tick - Number(departedAtTick)) / 10 };
    })
    .sort((a, b) => b.leftS - a.leftS)[0];
  return best?.id ?? 0;
}

async function search(map: MapPage, text: string): Promise<void> {
  await map.page.locator('#map').focus();
  await map.page.keyboard.press('/');
  await map.page.keyboard.press('ControlOrMeta+a');
  await map.page.keyboard.type(text);
  await map.page.keyboard.press('Enter');
}

/** Waits until the page says something that fits. */
async function expectNotice(map: MapPage, pattern: RegExp): Promise<void> {
  let said = '';
  await eventually(async () => {
    said = await map.text('notice');
    return pattern.test(said);
  }, WAIT_MS).catch(() => expect(said).toMatch(pattern));
}

describe('a keyboard alone', () => {
  const page = usePage();

  test(
    'reaches every control in turn, and moves the camera',
    async () => {
      const map = page();
      const { keyboard } = map.page;
      const reached = new Set<string>();
      for (let i = 0; i < 25; i++) {
        await keyboard.press('Tab');
        const names = await map.page.evaluate(() => {
          const { activeElement: on } = document;
          return [on?.getAttribute('aria-label') ?? on?.id ?? '', on?.textContent?.trim() ?? ''];
        });
        for (const name of names) reached.add(name);
      }
      for (const name of ['search', 'Find', 'holders', 'trails', 'Zoom in', 'Help and keys']) {
        expect([...reached]).toContain(name);
      }
      expect([...reached].filter((name) => name.startsWith('kill -9 pod-'))).toHaveLength(3);

      await map.page.locator('#map').focus();
      for (let i = 0; i < 5; i++) await keyboard.press('+');
      const near = await eventually(
        () => (map.area?.kind === 'box' ? map.area : undefined),
        WAIT_MS,
      );
      // So far that it is out of what was asked for at any step on the way here.
      for (let i = 0; i < 16; i++) await keyboard.press('ArrowRight');
      await eventually(() => Number(map.area?.['minX']) > Number(near?.['minX']), WAIT_MS);
      for (let i = 0; i < 6; i++) await keyboard.press('-');
      await keyboard.press('0');
      await eventually(() => map.area?.kind === 'world', WAIT_MS);
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );

  test(
    'searches, opens all components of an entity, follows it, and lets go',
    async () => {
      const map = page();
      const { keyboard } = map.page;
      const id = await longFlight();
      await search(map, String(id));
      const inspector = map.page.getByTestId('inspector');
      await inspector.waitFor();
      expect(await inspector.locator('h2').textContent()).toBe(`Entity ${id}`);
      const { components } = (await world.query(`id=${id}`)).entities[0]!;
      await eventually(async () => {
        const names = await inspector.locator('h3').allTextContents();
        return names.sort().join() === Object.keys(components).sort().join();
      }, WAIT_MS);
      expect(await inspector.textContent()).toContain(String(components['flight']?.['from']));

      // Followed, it stays in the middle however near one looks; there a mouse finds it.
      await map.page.locator('#map').focus();
      await keyboard.press('f');
      await map.page.getByRole('button', { name: 'Follow', pressed: true }).waitFor();
      for (let i = 0; i < 9; i++) await keyboard.press('+');
      const tooltip = map.page.locator('.tooltip', { hasText: `entity ${id}` });
      const place = (): Promise<string | null> =>
        inspector.locator('.component', { hasText: /^position/ }).textContent();
      const before = await place();
      await eventually(async () => {
        const { x, y } = await map.middle();
        await map.page.mouse.move(x + Math.random(), y);
        return (await tooltip.count()) === 1 && (await place()) !== before;
      }, WAIT_MS);

      await keyboard.press('Enter');
      expect(await map.page.evaluate(() => document.activeElement?.id)).toBe('inspector');
      await keyboard.press('Escape');
      await inspector.waitFor({ state: 'detached' });
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );

  test(
    'is told when there is no such entity, or no id in what was typed',
    async () => {
      const map = page();
      await search(map, '999999999999');
      await expectNotice(map, /no entity has the id 999999999999/);
      await search(map, 'LH 400');
      await expectNotice(map, /a whole number/);
      expect(await map.page.getByTestId('inspector').count()).toBe(0);
      await map.page.locator('#map').focus();
      await map.page.keyboard.press('?');
      await map.page.getByRole('dialog').waitFor();
      await map.page.keyboard.press('Escape');
      await map.page.getByRole('dialog').waitFor({ state: 'hidden' });
    },
    TEST_MS_MAX,
  );
});

describe('how it looks', () => {
  test(
    'layers and colours are switched on the picture, and the choice of colours is kept',
    async () => {
      const map = await opened();
      // Nobody plans here, and that is all that is said of plans.
      await map.page.getByText('no plan: pods share the world by themselves').waitFor();
      expect(await map.page.getByRole('button', { name: 'regions', exact: true }).count()).toBe(0);
      expect(await map.page.getByTestId('plan').count()).toBe(0);
      // Nor has anybody taken a snapshot, so there is no time to choose.
      expect(await map.page.getByTestId('time').count()).toBe(0);
      const dark = await map.blocks();
      await map.page.getByRole('button', { name: 'holders', exact: true }).click();
      await map.page.getByRole('button', { name: 'holders', pressed: false }).waitFor();
      await eventually(async () => changedShare(dark, await map.blocks()) > 0.3, WAIT_MS);
      await map.page.getByRole('button', { name: 'holders', exact: true }).click();
      await map.page.getByRole('button', { name: 'Use light colours' }).click();
      await eventually(async () => changedShare(dark, await map.blocks()) > 0.9, WAIT_MS);
      const theme = (): Promise<string | null> =>
        map.page.locator('html').getAttribute('data-theme');
      expect(await theme()).toBe('light');
      await map.page.reload();
      expect(await theme()).toBe('light');
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );
});

/** None either while the inspector shows somebody. */
async function expectNoBarriers(map: MapPage): Promise<void> {
  const { entities } = await world.query('world&components=position&with=airport&limit=1');
  await map.page.locator('#search').fill(String(entities[0]?.id));
  await map.page.getByRole('button', { name: 'Find', exact: true }).click();
  await map.page.getByTestId('inspector').locator('h3').first().waitFor({ state: 'attached' });
  const handle = map.page.locator('.handle:visible');
  if ((await handle.count()) > 0 && (await handle.getAttribute('aria-expanded')) !== 'true') {
    await handle.tap();
  }
  expect(await map.barriers()).toEqual([]);
}

describe('who wants light colours and little motion', () => {
  const page = usePage({ colorScheme: 'light', reducedMotion: 'reduce' });

  test(
    'gets them unasked',
    async () => {
      const map = page();
      expect(await map.page.locator('html').getAttribute('data-theme')).toBe('light');
      expect(await map.page.evaluate(() => document.getAnimations().length)).toBe(0);
      const { tick } = await map.meter();
      await eventually(async () => (await map.meter()).tick > tick, WAIT_MS);
    },
    TEST_MS_MAX,
  );

  test('has no barriers, with the inspector open', () => expectNoBarriers(page()), TEST_MS_MAX);
});

describe('a phone', () => {
  const page = usePage(PHONE);

  test(
    'is zoomed with two fingers, moved with one, and has everything in a sheet',
    async () => {
      const map = page();
      const { x, y } = await map.middle();
      const apart = [20, 40, 60, 80, 100, 120, 140];
      await map.touch(
        apart.map((far) => [
          [x - far, y],
          [x + far, y],
        ]),
      );
      const near = await eventually(
        () => (map.area?.kind === 'box' ? map.area : undefined),
        WAIT_MS,
      );
      for (let swipe = 0; swipe < 3; swipe++) {
        await map.touch([120, 80, 40, 0, -40, -80, -120].map((off) => [[x + off, y]]));
      }
      await eventually(() => Number(map.area?.['minX']) > Number(near?.['minX']), WAIT_MS);

      const handle = map.page.locator('.handle');
      if ((await handle.getAttribute('aria-expanded')) !== 'true') await handle.tap();
      const kill = map.page.locator('tr[data-pod] button.kill').first();
      await kill.scrollIntoViewIfNeeded();
      await eventually(async () => {
        const box = await kill.boundingBox();
        return (
          box !== null &&
          box.x + box.width <= PHONE.viewport.width &&
          box.y + box.height <= PHONE.viewport.height
        );
      }, WAIT_MS);
      const small = await map.page.locator('button:visible, input:visible').evaluateAll(
        (all, min) =>
          all
            .map(
              (one) =>
                [
                  one.getAttribute('aria-label') ?? one.textContent,
                  one.getBoundingClientRect(),
                ] as const,
            )
            .filter(([, box]) => box.width < min || box.height < min)
            .map(([name, box]) => `${name}: ${box.width} × ${box.height}`),
        TARGET_PX_MIN,
      );
      expect(small).toEqual([]);
      // The trial click of what is covered by something else would wait in vain.
      await kill.tap({ trial: true });
      expect(
        await map.page.evaluate(() => document.documentElement.scrollWidth),
      ).toBeLessThanOrEqual(PHONE.viewport.width);
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );

  test('has no barriers, with the inspector open', () => expectNoBarriers(page()), TEST_MS_MAX);
});

/** Reads the plan with the keyboard, lights regions with the mouse, and with a click. */
async function expectPlan(map: MapPage): Promise<void> {
  const plan = map.page.getByTestId('plan');
  await eventually(async () => (await map.figure('plan-version')) > 0, WAIT_MS);
  // One of its regions says who is across its sides.
  await plan.getByText(/^\d regions$/).press('Enter');
  await map.page.keyboard.press('Tab');
  await eventually(async () => {
    const text = await map.text('edges');
    const load = /^region \d+ of pod-\S+-\d, \d+ × \d+ cells\n[\d.]+ ms · \d+ % of a tick/;
    return load.test(text) && /(north|east): region \d+ of pod-\S+ \(\d+\)/.test(text);
  }, WAIT_MS);
  const entry = map.page.getByTestId('journal').getByRole('button').first();
  expect(await entry.textContent()).toMatch(/\..*\d\d:\d\d:\d\d$/);

  await map.page.getByRole('button', { name: 'holders', exact: true }).click();
  await plan.locator('summary').first().focus();
  const plain = await map.blocks();
  const lights = async (): Promise<boolean> => changedShare(plain, await map.blocks()) > 0.15;
  const region = plan.locator('[data-region]').first();
  await region.hover();
  await eventually(lights, WAIT_MS);
  await region.click();
  await plan.locator('[data-region][aria-pressed=true]').waitFor();
  await map.page.getByRole('button', { name: 'regions', exact: true }).click();
  await eventually(async () => !(await lights()), WAIT_MS);
  expect(await map.barriers()).toEqual([]);
}

describe('another world', () => {
  test(
    'has its own map, birds on a plane without land, and its plan where an authority plans',
    async () => {
      const flocking = await LiveWorld.open('flocking', at.url, ['--authorities', '1']);
      onTestFinished(() => flocking.close());
      const map = await MapPage.open(chromium.browser, flocking.address);
      onTestFinished(() => map.close());
      await eventually(async () => (await map.figure('entities')) === 2_000, WAIT_MS);
      await eventually(async () => (await map.meter()).drawn > 1_900, WAIT_MS);
      expect(await map.page.title()).toContain('flocking');
      expect([...map.responses.keys()].filter((path) => path.includes('land-'))).toEqual([]);
      await expectPlan(map);
      expect(map.faults).toEqual([]);
    },
    TEST_MS_MAX,
  );
});
