import { describe, expect, test } from 'vitest';
import { chaosPage } from './page.ts';
import { chaosReportOf } from './report.ts';
import { chaosFacts, faultRecord, runReport } from './report-fixture.ts';

const page = chaosPage(chaosReportOf(chaosFacts()));

describe('the page of a chaos run', () => {
  test('it needs nothing but itself: no script, no address of anything else', () => {
    expect(page).not.toMatch(/<script|https?:|src=|@import|url\(/);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('width=device-width');
  });

  test('every element is closed where it was opened', () => {
    const open: string[] = [];
    const body = page.replace(/<!doctype html>|<style>[\s\S]*<\/style>/g, '');
    for (const [, slash, name, rest] of body.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/g)) {
      if (name === 'meta' || name === 'br' || rest?.endsWith('/')) continue;
      if (slash === '') open.push(name as string);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  test('its picture has the fault, the takeover, the gap, the standstill and the ticks', () => {
    expect(page).toMatch(/class="f kill"[^>]*><title>[^<]*pod-1: SIGKILL; 4 cells taken over/);
    expect(page).toMatch(/class="taken"[^>]*><title>pod-2 took 4 cells of pod-1 after 400 ms/);
    expect(page).toContain('class="gap"');
    expect(page).toMatch(/class="still"[^>]*><title>clients were shown nothing new for 400 ms/);
    expect(page).toMatch(/class="ticks" points="\d/);
  });

  test('what a world says of itself cannot become part of the page', () => {
    const facts = chaosFacts({
      run: runReport({ world: '<b>&"' }),
      records: [faultRecord({ target: '<img>' })],
    });
    const text = chaosPage(chaosReportOf(facts));
    expect(text).not.toMatch(/<b>|<img>/);
  });

  test('a failed run says why on top', () => {
    const text = chaosPage(chaosReportOf(chaosFacts({ heldMs: undefined })));
    expect(text).toMatch(/class="broken">failed[\s\S]*W1: cells were without a holder/);
  });
});
