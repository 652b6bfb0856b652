/**
 * `npm run picture`: runs the flights world with three pods and its live map on free ports, and
 * takes the README's picture of it in a real Chromium. `docs/pictures/live-map.json` says which page
 * it is of; `npm run picture -- --check` only says whether that is still the page there is.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureInstalled, environment, node24, root, run, say } from './frame.mjs';
import { ensureViewer, pageHash } from './viewer.mjs';

const FOLDER = join(root, 'docs', 'pictures');
const PICTURE = join(FOLDER, 'live-map.webp');
const NOTE = join(FOLDER, 'live-map.json');
const WIDTH_PX = 1440;
const HEIGHT_PX = 810;
const QUALITY = 82;
/** The README loads it with the page. */
const BYTES_MAX = 400_000;
const WAIT_MS = 120_000;
/** Rates have settled by then, and aircraft have trails behind them. */
const SETTLE_MS = 15_000;

await ensureInstalled();
if (process.argv.includes('--check')) sayWhetherCurrent();
// TypeScript is read by Node 24 alone, and whoever starts this may have an older one.
else if (Number(process.versions.node.split('.')[0]) < 24) {
  process.exitCode = await run(node24(), ['scripts/picture.mjs']);
} else await takePicture();

function sayWhetherCurrent() {
  const isCurrent =
    existsSync(PICTURE) &&
    existsSync(NOTE) &&
    JSON.parse(readFileSync(NOTE, 'utf8')).page === pageHash();
  say(
    isCurrent
      ? '· picture: of the page as it is'
      : '· picture: older than the page; `npm run picture` takes another',
  );
}

async function takePicture() {
  await ensureViewer();
  const { findChromium, openChromium } = await import('@leasehold/testkit/chromium');
  const { freePort } = await import('@leasehold/servers');
  const found = await findChromium({ log: say });
  if (found.missing !== undefined) {
    say(found.missing);
    process.exitCode = 1;
    return;
  }
  const home = mkdtempSync(join(tmpdir(), 'leasehold-picture-'));
  const world = startWorld(home, await freePort());
  let browser;
  try {
    const address = await world.address;
    browser = await openChromium(found.program);
    const bytes = await pictureOf(browser, address);
    if (bytes.length > BYTES_MAX) throw new Error(`the picture has ${bytes.length} bytes`);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(PICTURE, bytes);
    const facts = { page: pageHash(), width: WIDTH_PX, height: HEIGHT_PX, bytes: bytes.length };
    writeFileSync(NOTE, `${JSON.stringify(facts, null, 2)}\n`);
    say(`· picture: ${PICTURE}, ${Math.round(bytes.length / 1_000)} kB`);
  } finally {
    await browser?.close();
    await world.end();
    rmSync(home, { recursive: true, force: true });
  }
}

/** A Redis, pods and a gateway of its own, whatever else runs on this machine. */
function startWorld(home, port) {
  const flags = ['--pods', '3', '--gateways', '1', '--port', String(port), '--home', home];
  const child = spawn(
    node24(),
    ['apps/cli/src/main.ts', 'run', 'examples/flights', ...flags, '--json'],
    {
      cwd: root,
      env: { ...environment(), REDIS_URL: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const gone = new Promise((resolve) => child.on('close', resolve));
  let said = '';
  const address = new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const match = /^map {2}(http:\S+)$/m.exec(said);
      if (match !== null) resolve(match[1]);
    });
    void gone.then(() => reject(new Error(`the world did not start:\n${said}`)));
  });
  const end = async () => {
    child.kill('SIGINT');
    await gone;
  };
  return { address, end };
}

async function pictureOf(browser, address) {
  const page = await browser.newPage({
    viewport: { width: WIDTH_PX, height: HEIGHT_PX },
    colorScheme: 'dark',
  });
  await page.goto(address);
  await until('nothing moves on the map', () =>
    page.evaluate(() => window.leaseholdMeter?.drawn > 5_000),
  );
  // What the product is about: a pod is dead, and nothing is lost.
  const kills = page.locator('tr[data-pod] button', { hasText: 'kill' });
  await until('there are not three pods', async () => (await kills.count()) === 3);
  await sleep(SETTLE_MS);
  await kills.nth(1).click();
  await until('the auditor has not said that nothing was lost', async () => {
    const [newest] = await page.locator('li[data-tone=good], li[data-tone=death]').all();
    const deaths = await page.locator('li[data-tone=death]').count();
    return deaths > 0 && (await newest.getAttribute('data-tone')) === 'good';
  });
  await page.getByRole('button', { name: 'trails' }).click();
  await sleep(SETTLE_MS);
  // Playwright knows PNG and JPEG only; Chromium knows WebP, at a third of the size.
  const devtools = await page.context().newCDPSession(page);
  const { data } = await devtools.send('Page.captureScreenshot', {
    format: 'webp',
    quality: QUALITY,
  });
  return Buffer.from(data, 'base64');
}

/** Looked at from here: Playwright's own waiting evaluates text, which the page's policy forbids. */
async function until(otherwise, claim) {
  const deadlineMs = performance.now() + WAIT_MS;
  while (!(await claim())) {
    if (performance.now() > deadlineMs) throw new Error(otherwise);
    await sleep(200);
  }
}
