/** The page in a real Chromium, with what tests look at: its faults, its figures, its pixels. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { eventually } from '@leasehold/testkit';
import type { Browser, BrowserContext, Page } from '@leasehold/testkit/chromium';
import type { Meter } from './meter.ts';

/** Two cores that are busy with the world itself draw few frames. */
export const WAIT_MS = 60_000;
/** Pixels of the blocks in which pictures are compared. */
const BLOCK_PX = 16;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

type ContextOptions = Parameters<Browser['newContext']>[0];
type Point = { readonly x: number; readonly y: number };
/** What the page asked for last: the area of its map. */
export type AskedArea = { readonly kind: string } & Readonly<Record<string, number>>;

export class MapPage {
  readonly page: Page;
  /** Everything that a user would find red in the console or the network list. */
  readonly faults: string[] = [];
  readonly responses = new Map<string, Readonly<Record<string, string>>>();
  area: AskedArea | undefined;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('requestfailed', (request) => {
      // Whoever closes the inspector is not interested in the answer any more.
      const why = request.failure()?.errorText ?? '';
      if (why !== 'net::ERR_ABORTED') this.faults.push(`${request.url()}: ${why}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.faults.push(`${response.url()}: ${response.status()}`);
      this.responses.set(new URL(response.url()).pathname, response.headers());
    });
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => this.#noteSent(String(payload)));
    });
  }

  /** Loads the address and waits until it is live and somebody is drawn. */
  static async open(
    browser: Browser,
    address: string,
    options: ContextOptions = {},
  ): Promise<MapPage> {
    const viewport = { width: 1_110, height: 560 };
    const context = await browser.newContext({ viewport, colorScheme: 'dark', ...options });
    context.setDefaultTimeout(WAIT_MS);
    const at = new MapPage(context, await context.newPage());
    await at.page.goto(address);
    await at.untilLive();
    return at;
  }

  async untilLive(): Promise<void> {
    const fault = this.page.locator('.map-fault');
    await eventually(async () => {
      const [state, { drawn }] = [await this.text('link-state'), await this.meter()];
      if (state === 'live' && drawn > 0) return true;
      const why = [...(await fault.allTextContents()), ...this.faults];
      throw new Error(`${state}, ${drawn} drawn; ${why.join('; ')}`);
    }, WAIT_MS);
  }

  #noteSent(text: string): void {
    const message = JSON.parse(text) as { readonly type: string; readonly area?: AskedArea };
    if (message.area !== undefined) this.area = message.area;
  }

  /** The text of an element by its `data-testid`. */
  async text(id: string): Promise<string> {
    return (await this.page.getByTestId(id).textContent()) ?? '';
  }

  /** A number as the page writes it. */
  async figure(id: string): Promise<number> {
    return Number((await this.text(id)).replaceAll(',', ''));
  }

  async meter(): Promise<Pick<Meter, 'entities' | 'drawn' | 'drawnPast' | 'tick' | 'reconnects'>> {
    return this.page.evaluate(() => {
      const meter = window.leaseholdMeter;
      const { entities = 0, drawn = 0, drawnPast = 0, tick = 0, reconnects = 0 } = meter ?? {};
      return { entities, drawn, drawnPast, tick, reconnects };
    });
  }

  /** Names of pods in the table, with what it says of each. */
  async pods(): Promise<Readonly<Record<string, PodText>>> {
    return this.page.evaluate(() => {
      const number = (text: string | null | undefined): number =>
        Number((text ?? '').replaceAll(',', ''));
      const rows = [...document.querySelectorAll<HTMLElement>('tr[data-pod]')].map((row) => {
        const texts = [...row.querySelectorAll('td')].map((cell) => cell.firstChild?.textContent);
        const pid = number(/pid (\d+)/.exec(row.textContent)?.[1]);
        const [held, entities, tickMs, commits] = texts;
        return [
          row.dataset['pod'] ?? '',
          {
            pid,
            isGone: row.classList.contains('gone'),
            cells: number(held),
            entities: number(entities),
            tickMs: Number.parseFloat(tickMs ?? ''),
            commitsPerS: number(commits),
          },
        ] as const;
      });
      return Object.fromEntries(rows);
    });
  }

  /** Lines of the feed, newest first. */
  feed(): Promise<{ readonly tone: string; readonly text: string }[]> {
    return this.page
      .getByTestId('feed')
      .locator('li')
      .evaluateAll((items) =>
        items.map((item) => ({
          tone: (item as HTMLElement).dataset['tone'] ?? '',
          text: item.querySelector('span:nth-child(2)')?.textContent ?? '',
        })),
      );
  }

  /** The map in blocks: the commonest colour of each, which what moves does not change. */
  async blocks(): Promise<readonly string[]> {
    const png = await this.page.locator('#map canvas').screenshot();
    return this.page.evaluate(blocksOf, { png: png.toString('base64'), sizePx: BLOCK_PX });
  }

  /** The place on the page where the middle of the map is. */
  async middle(): Promise<Point> {
    const box = await this.page.locator('#map').boundingBox();
    if (box === null) throw new Error('there is no map');
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }

  /** Fingers that go from place to place. */
  async touch(path: readonly (readonly [number, number][])[]): Promise<void> {
    const devtools = await this.#context.newCDPSession(this.page);
    const steps = path.map((points) => points.map(([x, y], id) => ({ x, y, id })));
    for (const [i, touchPoints] of steps.entries()) {
      await devtools.send('Input.dispatchTouchEvent', {
        type: i === 0 ? 'touchStart' : 'touchMove',
        touchPoints,
      });
      // A finger takes its time, and the map looks once a frame.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }

  /** Sentences about what a machine finds wrong with the page for people who cannot see or point. */
  async barriers(): Promise<string[]> {
    const { resolve } = createRequire(import.meta.url);
    await this.page.evaluate(readFileSync(resolve('axe-core/axe.min.js'), 'utf8'));
    return this.page.evaluate(async (values) => {
      const { axe } = window as unknown as { axe: typeof import('axe-core') };
      const { violations } = await axe.run(document, { runOnly: { type: 'tag', values } });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
      );
    }, RULES);
  }

  close(): Promise<void> {
    return this.#context.close();
  }
}

type PodText = {
  readonly pid: number;
  readonly isGone: boolean;
  readonly cells: number;
  readonly entities: number;
  readonly tickMs: number;
  readonly commitsPerS: number;
};

async function blocksOf({ png, sizePx }: { png: string; sizePx: number }): Promise<string[]> {
  // Not an image element, which the policy of the page forbids to load from here.
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no canvas');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const blocks: string[] = [];
  for (let top = 0; top + sizePx <= image.height; top += sizePx) {
    for (let left = 0; left + sizePx <= image.width; left += sizePx) {
      const counts = new Map<string, number>();
      for (let y = top; y < top + sizePx; y++) {
        for (let x = left; x < left + sizePx; x++) {
          const at = 4 * (y * image.width + x);
          const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
          counts.set(colour, (counts.get(colour) ?? 0) + 1);
        }
      }
      blocks.push([...counts].sort((one, other) => other[1] - one[1])[0]![0]);
    }
  }
  return blocks;
}

/** The share of blocks that differ, 0 to 1. */
export function changedShare(before: readonly string[], after: readonly string[]): number {
  return before.filter((colour, i) => colour !== after[i]).length / before.length;
}
