/** The past on the live map: a slider over real snapshots, and a snapshot beside now. */
import { eventually, useChromium, usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MapPage, WAIT_MS } from './page-fixture.ts';
import { LiveWorld } from './world-fixture.ts';

/** Builds the page, if it is not the one of these sources. */
const VIEWER = new URL('../../../scripts/viewer.mjs', import.meta.url).href;
const TEST_MS_MAX = 3 * WAIT_MS;
const BIRDS = 2_000;

const redis = useRedis();
const postgres = usePostgres();
const chromium = useChromium();
let world: LiveWorld;
let map: MapPage;
/** Of the snapshot. */
let tick = 0;

beforeAll(async () => {
  if (chromium.missing !== '') return;
  const { ensureViewer } = (await import(VIEWER)) as { ensureViewer(): Promise<void> };
  await ensureViewer();
  world = await LiveWorld.open('flocking', redis.url, ['--pods', '1'], postgres.databaseUrl);
  [tick, map] = await Promise.all([
    world.snapshot('flocking', 'morning'),
    MapPage.open(chromium.browser, world.address, { hasTouch: true }),
  ]);
}, TEST_MS_MAX);

afterAll(async () => {
  await map?.close();
  await world?.close();
}, TEST_MS_MAX);

const until = (claim: () => Promise<boolean>): Promise<boolean> => eventually(claim, WAIT_MS);

/** Who is drawn of the snapshot, and of now. */
const drawn = async (): Promise<[number, number]> => {
  const { drawnPast, drawn: now } = await map.meter();
  return [drawnPast, now];
};

test(
  'a slider goes to a snapshot and back, and a divider has now beside it',
  async () => {
    const { page } = map;
    const { keyboard } = page;
    const slider = page.locator('#time-slider');
    await slider.waitFor();
    expect(await map.text('time-text')).toBe('now');
    await until(async () => (await map.meter()).drawn > 0.9 * BIRDS);

    // With the keyboard into the past, in which nobody moves and nobody of now is shown.
    await slider.focus();
    await keyboard.press('ArrowLeft');
    expect(await map.text('past-mark')).toMatch(/^Past: morning · 2,000 entities$/);
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^morning · tick [\d,]+ · /);
    await until(async () => String(await drawn()) === `${BIRDS},0`);
    const canvas = page.locator('#map canvas');
    const still = await canvas.screenshot();
    const { tick: then } = await map.meter();
    await until(async () => (await map.meter()).tick > then + 5);
    expect(still.equals(await canvas.screenshot())).toBe(true);

    // Who is inspected is told as they were.
    await page.locator('#map').focus();
    await keyboard.press('n');
    const inspector = page.getByTestId('inspector');
    await inspector.getByText(`tick ${tick.toLocaleString('en-GB')}`).waitFor();
    await page.locator('#map').focus();
    await keyboard.press('Escape');

    await keyboard.press('c');
    await page.getByTestId('now-mark').waitFor();
    await until(async () => Math.min(...(await drawn())) > 0.2 * BIRDS);
    const [half] = await drawn();
    await page.getByTestId('divider').focus();
    await keyboard.press('PageDown');
    await until(async () => (await drawn())[0] < half);
    await keyboard.press('End');
    await until(async () => String(await drawn()) === `${BIRDS},0`);
    const { x, y } = await map.middle();
    const box = await page.getByTestId('divider').boundingBox();
    const from = (box?.x ?? 0) + 20;
    await map.touch([[[from, y]], [[(from + x) / 2, y]], [[x, y]]]);
    await until(async () => Math.abs((await drawn())[0] - half) < 0.02 * BIRDS);
    expect(await map.barriers()).toEqual([]);

    await page.getByRole('button', { name: 'now', exact: true }).click();
    await page.getByTestId('past-mark').waitFor({ state: 'detached' });
    await until(async () => (await drawn())[0] === 0 && (await drawn())[1] > 0.9 * BIRDS);
    expect(map.faults).toEqual([]);
  },
  TEST_MS_MAX,
);
