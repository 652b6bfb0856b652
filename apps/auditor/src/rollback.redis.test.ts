/**
 * Goal: after a restart or a failover of the store nothing is called broken that may happen then,
 * and no committed tick that is missing goes unsaid. Method: worlds written by hand that are put
 * back to what a replica had of them.
 */
import { entityId } from '@leasehold/kernel';
import type { AuditVerdict } from '@leasehold/protocol';
import { useRedis } from '@leasehold/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { Auditor } from './auditor.ts';
import { openReading, type Reading } from './reading.ts';
import { type CellByHand, worldByHand } from './world-by-hand.ts';

describe('a store that went back', () => {
  const at = useRedis();
  let opened: Reading | undefined;
  let nowMs = 0;
  const timer = { nowMs: () => nowMs, sleep: async () => undefined };

  afterEach(() => opened?.close());

  async function audited() {
    const { facts, cells } = await worldByHand(at.redis, at.world);
    const reading = await openReading(at.url, facts);
    opened = reading;
    let server = 1;
    reading.runId = async () => `server${server}`;
    const auditor = new Auditor(reading, timer);
    await auditor.begin();
    const [a, b, c, d] = cells as [CellByHand, CellByHand, CellByHand, CellByHand];
    const look = async (): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        nowMs += 500;
        await auditor.round();
      }
    };
    /** Another server answers from now on. */
    const promote = (): void => {
      server++;
    };
    return { auditor, reading, look, promote, a, b, c, d };
  }

  /** The next look at whole cells fails once some of them were read. */
  function breakOnce(reading: Reading): void {
    const wholeCells = reading.wholeCells.bind(reading);
    reading.wholeCells = async (cells) => {
      reading.wholeCells = wholeCells;
      const [first] = await wholeCells(cells.slice(0, 1));
      if (first === undefined) throw new Error('a world has cells');
      throw new Error('Connection is closed.');
    };
  }

  const rulesOf = (verdict: AuditVerdict): string[] => [
    ...new Set(verdict.violations.map(({ rule }) => rule)),
  ];
  const first = (cell: CellByHand): number => entityId(cell.cell, 1);

  test('L2 a lease that was granted on the old server and lost with it binds nobody', async () => {
    const { auditor, look, promote, a } = await audited();
    await a.commit();
    const back = await a.replicate();
    await a.grant('2000');
    await look();
    await back();
    promote();
    await a.commit();
    await look();
    // The number and the nonce of the lost timeline are issued once more.
    await a.grant('2000', 'pod.other');
    await look();
    await a.grant('3000', 'pod.2000');
    await a.commit();
    await look();
    expect(await auditor.verdict()).toMatchObject({
      violations: [],
      rollbacks: [],
      unhealedCells: 0,
    });
  });

  test('L1 a lost lease that was seen ahead of the log binds nobody either', async () => {
    const { auditor, reading, look, promote, a } = await audited();
    await a.commit();
    const back = await a.replicate();
    await a.grant('2000');
    const news = reading.news.bind(reading);
    reading.news = async (all) => (await news(all)).filter(({ cell }) => cell !== a.cell);
    await look();
    expect(auditor.status().entries).toBe(0);
    reading.news = news;
    await back();
    promote();
    await look();
    await a.commit();
    await look();
    expect(await auditor.verdict()).toMatchObject({ violations: [], rollbacks: [] });
  });

  test('L2 after a rollback the old holder goes on, and is not told that its epoch fell', async () => {
    const { auditor, look, promote, a } = await audited();
    await a.commit();
    const back = await a.replicate();
    await a.grant('2000');
    await a.commit();
    await look();
    await back();
    promote();
    await look();
    await a.commit();
    await look();
    expect((await auditor.verdict()).violations).toEqual([]);
  });

  test('L2 what survived a rollback keeps its epochs: an entry below them is found', async () => {
    const { auditor, look, promote, a } = await audited();
    await a.grant('2000');
    await a.commit();
    const back = await a.replicate();
    await a.commit();
    await look();
    await back();
    promote();
    await look();
    await a.commit({ lie: { epoch: '1000' } });
    await look();
    expect(rulesOf(await auditor.verdict())).toContain('L2');
  });

  test('L3 another history that is longer than what was read is a rollback, no broken log', async () => {
    const { auditor, look, promote, a } = await audited();
    const back = await a.replicate();
    await a.commit({ births: 1 });
    await look();
    await back();
    promote();
    for (let i = 0; i < 3; i++) await a.commit();
    await look();
    expect(await auditor.verdict()).toMatchObject({
      violations: [],
      rollbacks: [{ cells: 1, firstCell: 0, fromSeq: 2 }],
      rewrittenCells: 1,
      unhealedCells: 0,
      entitiesEnd: 12,
      lost: 0,
    });
  });

  test('E1 a count that a broken connection cut short is done again before anything is judged', async () => {
    const { auditor, reading, look, promote, a, b } = await audited();
    const back = await a.replicate();
    await a.commit({ births: 1 });
    await look();
    await back();
    promote();
    breakOnce(reading);
    await expect(look()).rejects.toThrow('closed');
    await look();
    expect(auditor.status()).toMatchObject({ alive: 12, rollbacks: 1, violations: 0 });
    // Custody is settled again: who departs into no channel is missed.
    await b.commit({ departures: [{ to: 2, ids: [first(b)] }], lie: { keepChannel: true } });
    await look();
    const verdict = await auditor.verdict();
    expect(verdict.lostEntities).toEqual([{ id: first(b), last: 'the channel of cell 1' }]);
    expect(rulesOf(verdict)).not.toContain('L3');
  });

  test('E1 a verdict that is asked for after a count was cut short counts first', async () => {
    const { auditor, reading, look, promote, a } = await audited();
    const back = await a.replicate();
    await a.commit({ births: 1 });
    await look();
    await back();
    promote();
    breakOnce(reading);
    await expect(look()).rejects.toThrow('closed');
    expect(await auditor.verdict()).toMatchObject({
      isAtRest: true,
      violations: [],
      entitiesEnd: 12,
      lost: 0,
      unhealedCells: 1,
    });
  });

  test('a cell that never comes to its earlier mark again is unhealed, and listed', async () => {
    const { auditor, look, promote, a } = await audited();
    const back = await a.replicate();
    for (let i = 0; i < 3; i++) await a.commit();
    await look();
    await back();
    promote();
    await look();
    await a.commit();
    await look();
    expect(await auditor.verdict()).toMatchObject({
      violations: [],
      healedCells: 0,
      rewrittenCells: 0,
      unhealedCells: 1,
      unhealed: [{ cell: 0, seq: 4, endSeq: 2 }],
    });
  });

  test('a cell whose holder appends again what is missing is healed, and no other is counted', async () => {
    const { auditor, look, promote, a } = await audited();
    const back = await a.replicate();
    await a.commit();
    await a.commit();
    const ahead = await a.replicate();
    await look();
    await back();
    promote();
    await look();
    await ahead();
    await look();
    expect(await auditor.verdict()).toMatchObject({
      violations: [],
      healedCells: 1,
      rewrittenCells: 0,
      unhealedCells: 0,
    });
  });

  test('a cell that goes on differently is rewritten once it passes its mark', async () => {
    const { auditor, look, promote, a } = await audited();
    const back = await a.replicate();
    await a.commit({ births: 1 });
    await look();
    await back();
    promote();
    await look();
    await a.commit();
    await look();
    const verdict = await auditor.verdict();
    expect(verdict).toMatchObject({ healedCells: 0, rewrittenCells: 1, unhealedCells: 0 });
    expect(verdict.violations).toEqual([]);
  });

  test('a tick that had been read but still waited for another cell is missed too', async () => {
    const { auditor, reading, look, promote, a, b } = await audited();
    const backs = [await a.replicate(), await b.replicate()];
    await a.commit({ arrivals: await b.commit({ departures: [{ to: 0, ids: [first(b)] }] }) });
    const news = reading.news.bind(reading);
    reading.news = async (all) => (await news(all)).filter(({ cell }) => cell !== b.cell);
    await auditor.round();
    expect(auditor.status().entries).toBe(0);
    reading.news = news;
    for (const back of backs) await back();
    promote();
    await look();
    expect(await auditor.verdict()).toMatchObject({
      violations: [],
      // The source's log was hidden, but not its meta hash.
      unhealed: [0, 1].map((cell) => ({ cell, seq: 2, endSeq: 1 })),
    });
  });

  test('a tick of which only the meta hash was read is missed too, and its hash not expected', async () => {
    const { auditor, reading, look, promote, a } = await audited();
    const back = await a.replicate();
    await a.commit({ births: 1 });
    const news = reading.news.bind(reading);
    reading.news = async (all) => (await news(all)).filter(({ cell }) => cell !== a.cell);
    await look();
    expect(auditor.status().entries).toBe(0);
    reading.news = news;
    await back();
    promote();
    await a.commit();
    await look();
    expect(await auditor.verdict()).toMatchObject({
      violations: [],
      rewrittenCells: 1,
      unhealedCells: 0,
    });
  });

  test('a cell that passed its mark unseen is unhealed only if it was seen before it', async () => {
    const { auditor, look, promote, a, b } = await audited();
    const back = await a.replicate();
    await a.commit();
    await b.commit();
    await look();
    await back();
    promote();
    const pass = async (cell: CellByHand): Promise<void> => {
      for (let i = 0; i < 3; i++) await cell.commit();
      await cell.checkpoint();
      await at.redis.xtrim(cell.keys.log, 'MAXLEN', 0);
    };
    await pass(b);
    await look();
    await pass(a);
    await a.commit();
    await look();
    const verdict = await auditor.verdict();
    expect(verdict).toMatchObject({
      violations: [],
      rewrittenCells: 0,
      unhealed: [{ cell: 0, seq: 2, endSeq: 5 }],
    });
    expect(verdict.blindSpots.map(({ cell }) => cell)).toEqual([1, 0]);
  });

  test('a restart that lost nothing is no rollback, and what follows is judged as before', async () => {
    const { auditor, look, promote, a, b } = await audited();
    await a.commit();
    await look();
    promote();
    for (const cell of [a, b]) await cell.commit({ withCheckpoint: true });
    await look();
    await b.commit({ departures: [{ to: 2, ids: [first(b)] }], lie: { keepChannel: true } });
    await look();
    expect(await auditor.verdict()).toMatchObject({
      rollbacks: [],
      healedCells: 0,
      rewrittenCells: 0,
      unhealedCells: 0,
      lost: 1,
    });
  });
});
