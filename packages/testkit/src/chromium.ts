/**
 * A real Chromium for tests of pages: the one of this machine, or installed. It draws in software,
 * talks to nobody but the pages it is given, and ends with whoever opened it. Knows no vitest, so
 * that scripts may use it too.
 */
import { existsSync } from 'node:fs';
import { openProgram } from '@leasehold/servers';
import type { Browser } from 'playwright-core';
import { chromiumSetting } from './config.ts';

export type { Browser, BrowserContext, CDPSession, Locator, Page } from 'playwright-core';

const PROGRAM = {
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
  packageName: 'chromium',
};

const ARGS = [
  // A test machine is a container more often than not, where Chromium's own sandbox cannot be.
  ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  ...['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  ...['--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

const REMEDY =
  'Install Chromium (Debian: sudo apt-get install chromium), or set CHROMIUM to a browser of its ' +
  'family.';

/** A program to open, or the sentence that says why there is none and what to install. */
export type Found = { readonly program: string } | { readonly missing: string };

/** Looks at CHROMIUM, then on PATH, then installs it with apt-get where that is possible. */
export async function findChromium(
  options: { readonly env?: NodeJS.ProcessEnv; readonly log?: (line: string) => void } = {},
): Promise<Found> {
  const given = chromiumSetting(options.env);
  if (given !== '') {
    if (existsSync(given)) return { program: given };
    return { missing: `no browser: CHROMIUM names ${given}, which is not there. ${REMEDY}` };
  }
  const reasons: string[] = [];
  const program = await openProgram(PROGRAM, reasons, options);
  if (program !== undefined) return { program };
  return { missing: `no browser: ${reasons.join('; ')}. ${REMEDY}` };
}

/** Starts it without a window, on a profile of its own. Close it. */
export async function openChromium(
  program: string,
  args: readonly string[] = [],
): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: program,
    args: [...ARGS, ...args],
    headless: true,
    // Whoever opens it decides what Ctrl-C means.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}
