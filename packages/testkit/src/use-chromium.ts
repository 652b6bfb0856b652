import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type Browser, findChromium, openChromium } from './chromium.ts';
import { opened } from './leftovers.ts';

export type TestChromium = {
  readonly browser: Browser;
  /** Why there is no browser; '' when there is one. */
  readonly missing: string;
};

/** An installation is a download of some hundred megabytes. */
const OPEN_MS_MAX = 900_000;

/**
 * A browser for the tests of one file (or one `describe`). Read its fields inside tests and hooks
 * only. Where there is none to be had, each test is skipped with the reason and what to install;
 * a `beforeAll` of the test's own asks `missing` whether it has anything to prepare.
 */
export function useChromium(): TestChromium {
  const at: { -readonly [K in keyof TestChromium]?: TestChromium[K] } = {};
  let close = (): void => {};

  beforeAll(async () => {
    const log = (line: string): void => void process.stderr.write(`${line}\n`);
    const found = await findChromium({ log });
    at.missing = 'missing' in found ? found.missing : '';
    if ('missing' in found) {
      log(`skipped: ${found.missing}`);
      return;
    }
    const browser = await openChromium(found.program);
    at.browser = browser;
    close = opened(`browser ${found.program}`, () => browser.close());
  }, OPEN_MS_MAX);

  beforeEach(({ skip }) => {
    if (at.missing !== '') skip(at.missing);
  });

  afterAll(async () => {
    await at.browser?.close();
    close();
  });

  return at as TestChromium;
}
