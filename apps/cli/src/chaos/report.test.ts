import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { type ChaosFacts, chaosReportOf, chaosSummary } from './report.ts';
import { chaosFacts, faultRecord, judged, runReport, takeover } from './report-fixture.ts';

const report = (over: Partial<ChaosFacts> = {}) => chaosReportOf(chaosFacts(over));
const verdictOf = (id: string, over: Partial<ChaosFacts>) =>
  report(over).invariants.find((invariant) => invariant.id === id)?.verdict;
const calm = colorsOff();

function colorsOff() {
  return pc.createColors(false);
}

describe('the report of a chaos run', () => {
  test('a run in which every promise held has passed', () => {
    const { verdict, exitCode, reasons, invariants } = report();
    expect([verdict, exitCode, reasons]).toEqual(['passed', 0, []]);
    expect(invariants.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      ...['L1 held', 'L3 held', 'L5 held', 'E1 held', 'E2 held', 'V1 held', 'W1 held'],
      'T1 not checked',
    ]);
  });

  test('a gap is measured from the kill, over each cell, in ms and in ticks', () => {
    const { gaps, faults } = report();
    expect(gaps.kill).toMatchObject({ ms: { p50: 400, max: 400 }, ticks: { max: 7 } });
    expect(gaps.kill?.standstillMs).toBe(400);
    expect(faults[0]).toMatchObject({
      takenCells: 4,
      standstillMs: 400,
      gaps: { ms: { p99: 400 } },
    });
  });

  test('a fault that nobody had to take over for has no gap', () => {
    const slow = faultRecord({ kind: 'slow', target: 'pod-3' });
    expect(report({ records: [slow], feed: [] }).faults[0]).toMatchObject({ takenCells: 0 });
  });

  test.each([
    ['L1', { run: runReport({ violations: [{ rule: 'L1', cell: 1, message: 'late' }] }) }],
    ['L3', { run: runReport({ violations: [{ rule: 'L3', cell: 1, message: 'gap' }] }) }],
    ['E1', { run: runReport({ duplicated: 1 }) }],
    ['E2', { run: runReport({ lost: 1 }) }],
    ['V1', { judged: judged({ differing: 1, differences: ['client 0: entity 1 is missing'] }) }],
    ['V1', { judged: judged({ vanished: ['entity 1 vanished'] }) }],
    ['V1', { judged: judged({ wrongs: ['cell 1 went back'] }) }],
    ['W1', { heldMs: undefined }],
    ['W1', { heldMs: 10_001 }],
  ] satisfies [string, Partial<ChaosFacts>][])('%s is broken by %o', (id, over) => {
    expect(verdictOf(id, over)).toBe('broken');
    expect(report(over)).toMatchObject({ verdict: 'failed', exitCode: 1 });
    expect(report(over).reasons.join()).toContain(id);
  });

  test('L3 committed ticks that a rollback took for good are a broken promise', () => {
    const { auditor } = runReport();
    const run = runReport({ auditor: { ...auditor, rewrittenCells: 3 } });
    expect(verdictOf('L3', { run })).toBe('broken');
  });

  test('L5 a takeover from a pod that nothing was done to is an eviction', () => {
    const restart = faultRecord({ kind: 'redis-restart', target: 'redis-1' });
    expect(verdictOf('L5', { records: [restart] })).toBe('broken');
    expect(verdictOf('L5', { records: [restart, faultRecord({ kind: 'stop' })] })).toBe('held');
    const inOrder = [takeover({ cause: 'handover' })];
    expect(verdictOf('L5', { records: [restart], feed: inOrder })).toBe('held');
  });

  test('T1 a lockstep run is compared with the hash that was expected', () => {
    const run = runReport({ mode: 'lockstep', stateHash: '0123456789abcdef' });
    expect(verdictOf('T1', { run })).toBe('not checked');
    expect(verdictOf('T1', { run, expectedHash: '0123456789abcdef' })).toBe('held');
    expect(verdictOf('T1', { run, expectedHash: 'fedcba9876543210' })).toBe('broken');
    const torn = runReport({ mode: 'lockstep', stateHash: null });
    expect(verdictOf('T1', { run: torn })).toBe('broken');
  });

  test('without clients views are not judged, and what failed otherwise is said', () => {
    expect(verdictOf('V1', { judged: undefined })).toBe('not checked');
    const { verdict, reasons } = report({ failures: ['no tick for 60 s'] });
    expect([verdict, reasons]).toEqual(['failed', ['no tick for 60 s']]);
  });

  test('the summary says verdict, costs and every promise', () => {
    const text = chaosSummary(report({ isComplete: false }), calm).join('\n');
    expect(text).toMatch(/flocking passed: 1 faults, 400 ticks in 20 s/);
    expect(text).toMatch(/1 × kill +gaps p50 400 ms.*nothing new for 400 ms/);
    for (const id of ['L1', 'L3', 'L5', 'E1', 'E2', 'V1', 'W1', 'T1']) expect(text).toContain(id);
    expect(text).toContain('ended early');
    const failed = chaosSummary(report({ heldMs: undefined }), calm).join('\n');
    expect(failed).toMatch(/FAILED[\s\S]*because +W1: cells were without a holder/);
  });
});
