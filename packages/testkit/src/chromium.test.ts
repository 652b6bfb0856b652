import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findChromium } from './chromium.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-path-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

describe('finding a browser', () => {
  test('CHROMIUM wins over what is on PATH', async () => {
    program('chromium');
    const given = program('mine');
    expect(await findChromium({ env: { PATH: folder, CHROMIUM: given } })).toEqual({
      program: given,
    });
  });

  test('CHROMIUM that names nothing is told, and nothing else is taken instead', async () => {
    program('chromium');
    const found = await findChromium({ env: { PATH: folder, CHROMIUM: '/nowhere/chromium' } });
    expect(found).toEqual({ missing: expect.stringContaining('CHROMIUM names /nowhere/chromium') });
  });

  test('a browser of the family is as good, under whatever name', async () => {
    const chrome = program('google-chrome');
    expect(await findChromium({ env: { PATH: folder } })).toEqual({ program: chrome });
  });

  test('without one, the reasons and what to install are told', async () => {
    const found = await findChromium({ env: { PATH: folder, LEASEHOLD_INSTALL: '0' } });
    expect(found).toEqual({
      missing: expect.stringMatching(/chromium.* is on PATH.*apt-get install chromium/s),
    });
  });

  test('scripts may use it: it loads no test runner', () => {
    const url = new URL('chromium.ts', import.meta.url).href;
    const script = `const { findChromium } = await import('${url}'); console.log(typeof findChromium)`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(String(said).trim()).toBe('function');
  });
});
