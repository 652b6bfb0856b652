/**
 * Goal: what is whole is called whole, and every way of losing or doubling an entity, or of
 * breaking a log, is called by its rule. Method: worlds written by hand, key by key.
 */

import { entityId } from '@leasehold/kernel';
import { type AuditVerdict, encodeRows, Table } from '@leasehold/protocol';
import { useRedis } from '@leasehold/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { Auditor } from './auditor.ts';
import { openReading, type Reading } from './reading.ts';
import { type CellByHand, SCHEMA, worldByHand } from './world-by-hand.ts';

describe('auditor', () => {
  const at = useRedis();
  let reading: Reading | undefined;
  let nowMs = 0;
  const timer = { nowMs: () => nowMs, sleep: async () => undefined };

  afterEach(() => reading?.close());

  /** A world with an auditor that has counted it. */
  async function audited() {
    const { facts, cells } = await worldByHand(at.redis, at.world);
    reading = await openReading(at.url, facts);
    const auditor = new Auditor(reading, timer);
    const ready = await auditor.begin();
    const [a, b, c, d] = cells as [CellByHand, CellByHand, CellByHand, CellByHand];
    /** Looks until all shares of the metas were read, and a sample was taken. */
    const look = async (): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        nowMs += 500;
        await auditor.round();
      }
    };
    return { auditor, ready, look, a, b, c, d };
  }

  const rulesOf = (verdict: AuditVerdict): string[] => [
    ...new Set(verdict.violations.map(({ rule }) => rule)),
  ];
  const first = (cell: CellByHand): number => entityId(cell.cell, 1);

  test('E2 a world that only did what it may do is whole, entity by entity', async () => {
    const { auditor, ready, look, a, b, c, d } = await audited();
    expect(ready).toMatchObject({ entities: 12, cells: 4 });
    await a.commit({ births: 2, withCheckpoint: true });
    const left = await b.commit({ departures: [{ to: 2, ids: [first(b)] }] });
    await look();
    await c.commit({ arrivals: left, deaths: [first(c)] });
    await d.commit({ departures: [{ to: 0, ids: [first(d), entityId(3, 2)] }] });
    await a.commit({ withCheckpoint: true });
    await look();
    const verdict = await auditor.verdict();
    expect(verdict).toMatchObject({
      isAtRest: true,
      violations: [],
      lost: 0,
      duplicated: 0,
      unaccounted: 0,
      blindSpots: [],
      created: 2,
      deleted: 1,
      entitiesStart: 12,
      entitiesEnd: 13,
      inFlight: 2,
    });
    expect(verdict.checked.channelEntries).toBe(2);
    expect(verdict.checked.checkpoints).toBeGreaterThan(0);
  });

  test('E1 what crosses and is dropped from its channel while all is counted is not called broken', async () => {
    const { facts, cells } = await worldByHand(at.redis, at.world);
    const [a, b] = cells as [CellByHand, CellByHand];
    reading = await openReading(at.url, facts);
    const real = reading;
    const wholeCells = real.wholeCells.bind(real);
    real.wholeCells = async (all) => {
      const readings = await wholeCells(all);
      real.wholeCells = wholeCells;
      // The reader was read before; now it consumes, the source drops, and is read after that.
      await a.commit({ arrivals: await b.commit({ departures: [{ to: 0, ids: [first(b)] }] }) });
      await at.redis.xtrim(b.keys.out, 'MAXLEN', 0);
      const [late] = await wholeCells([b.cell]);
      return readings.map((each) => (each.cell === b.cell && late ? late : each));
    };
    const auditor = new Auditor(reading, timer);
    expect(await auditor.begin()).toMatchObject({ entities: 12 });
    expect(await auditor.verdict()).toMatchObject({
      isAtRest: true,
      violations: [],
      entitiesEnd: 12,
      created: 0,
      lost: 0,
    });
  });

  test('E1 an arrival that is read before its departure waits, and is not called broken', async () => {
    const { auditor, look, a, b } = await audited();
    const out = await b.commit({ departures: [{ to: 0, ids: [first(b)] }] });
    await a.commit({ arrivals: out });
    const real = reading as Reading;
    const news = real.news.bind(real);
    let isBlindfolded = true;
    real.news = async (positions) => {
      const all = await news(positions);
      return isBlindfolded ? all.filter(({ cell }) => cell !== b.cell) : all;
    };
    await auditor.round();
    expect(auditor.status()).toMatchObject({ violations: 0, entries: 0 });
    isBlindfolded = false;
    await look();
    expect(auditor.status()).toMatchObject({ violations: 0, entries: 2 });
    expect((await auditor.verdict()).violations).toEqual([]);
  });

  test('E1 an arrival whose departure never comes is found after some seconds', async () => {
    const { auditor, look, a, b } = await audited();
    const forged = { seq: 9, from: b.cell, to: 0, tick: 1, ids: [entityId(b.cell, 2)] };
    const table = new Table(SCHEMA);
    table.append(entityId(b.cell, 2), 1);
    await a.commit({ arrivals: [{ ...forged, body: encodeRows(table, 1) }] });
    await auditor.round();
    expect(auditor.status().violations).toBe(0);
    nowMs += 10_000;
    await look();
    expect(rulesOf(await auditor.verdict())).toContain('E1');
  });

  test('a world that moves on is judged without being called at rest', async () => {
    const { auditor, a } = await audited();
    const [wholeCells, busy] = [reading?.wholeCells.bind(reading), a];
    if (reading !== undefined && wholeCells !== undefined) {
      reading.wholeCells = async (cells) => {
        await busy.commit({ births: 1 });
        return wholeCells(cells);
      };
    }
    const verdict = await auditor.verdict();
    expect(verdict).toMatchObject({ isAtRest: false, violations: [], stateHash: null });
    expect(verdict.created).toBeGreaterThan(0);
  });

  test('T1 the state hash does not depend on which cell an entity is in, only on its state', async () => {
    const { auditor, a, b, c, d } = await audited();
    for (const cell of [a, b, c, d]) await cell.commit();
    const before = await auditor.verdict();
    const out = await a.commit({ departures: [{ to: 1, ids: [first(a)] }] });
    for (const cell of [b, c, d]) await cell.commit();
    const flying = await auditor.verdict();
    await b.commit({ arrivals: out });
    for (const cell of [a, c, d]) await cell.commit();
    const landed = await auditor.verdict();
    expect([before.tickMin, flying.tickMin, landed.tickMin]).toEqual([1, 2, 3]);
    expect(before.stateHash).toMatch(/^[0-9a-f]{16}$/);
    expect(flying.stateHash).not.toBe(before.stateHash);
    await a.commit();
    expect((await auditor.verdict()).stateHash).toBeNull();
  });

  test('L3 a gap in a log is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit();
    await look();
    await a.commit({ lie: { seq: a.seq + 2 } });
    await look();
    expect(rulesOf(await auditor.verdict())).toContain('L3');
  });

  test('L3 an entry that does not name the hash before it is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit({ lie: { prevHash: '0123456789abcdef' } });
    await look();
    expect(rulesOf(await auditor.verdict())).toEqual(['L3']);
  });

  test('L3 an entry whose content was changed is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit({ lie: { hash: '0123456789abcdef' } });
    await look();
    expect(rulesOf(await auditor.verdict())).toEqual(['L3']);
  });

  test('L3 a checkpoint that is not what the log makes of the one before it is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit({ withCheckpoint: true });
    await a.commit();
    const other = new Table(SCHEMA);
    other.append(entityId(0, 1), 1);
    await a.checkpoint(other);
    await look();
    expect(rulesOf(await auditor.verdict())).toContain('L3');
  });

  test('L2 an epoch that falls is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit();
    await a.grant('2000');
    await a.commit();
    await a.commit({ lie: { epoch: '1000' } });
    await look();
    expect(rulesOf(await auditor.verdict())).toEqual(['L2']);
  });

  test('L1 an entry of the old holder after the new lease was granted is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit();
    await a.grant('2000');
    await look();
    await a.commit({ lie: { epoch: '1000' } });
    await look();
    expect(rulesOf(await auditor.verdict())).toEqual(['L1']);
  });

  test('L1 an entry of an epoch that was never granted is found', async () => {
    const { auditor, look, a } = await audited();
    await look();
    await a.commit({ lie: { epoch: '3000' } });
    await look();
    expect(rulesOf(await auditor.verdict())).toEqual(['L1']);
  });

  test('L2 a nonce that is used for a second lease is found', async () => {
    const { auditor, look, a } = await audited();
    await look();
    await a.grant('2000', 'pod.1000');
    await a.commit();
    await look();
    expect(rulesOf(await auditor.verdict())).toEqual(['L2']);
  });

  test('E1 an entity that arrives twice is found, and is in two places', async () => {
    const { auditor, look, a, b, c } = await audited();
    const out = await a.commit({ departures: [{ to: 1, ids: [first(a)] }] });
    await b.commit({ arrivals: out });
    await c.commit({ arrivals: out });
    await look();
    nowMs += 10_000;
    await look();
    expect(auditor.status()).toMatchObject({ alive: 12, lost: 0, duplicated: 1 });
    const verdict = await auditor.verdict();
    expect(rulesOf(verdict)).toContain('E1');
    expect(verdict).toMatchObject({ duplicated: 1 });
    expect(verdict.duplicatedEntities[0]).toEqual({ id: first(a), places: ['cell 1', 'cell 2'] });
  });

  test('E1 a cursor that did not move with its arrival is found, and doubles the entity', async () => {
    const { auditor, look, a, b } = await audited();
    const out = await a.commit({ departures: [{ to: 1, ids: [first(a)] }] });
    await b.commit({ arrivals: out, lie: { keepCursor: true } });
    await look();
    const verdict = await auditor.verdict();
    expect(rulesOf(verdict)).toContain('E1');
    expect(verdict.duplicated).toBe(1);
  });

  test('E1 an entity that departs into no channel is lost', async () => {
    const { auditor, look, a } = await audited();
    await a.commit({
      departures: [{ to: 1, ids: [first(a)] }],
      lie: { keepChannel: true },
    });
    await look();
    const verdict = await auditor.verdict();
    expect(verdict).toMatchObject({ lost: 1, duplicated: 0 });
    expect(verdict.lostEntities).toEqual([{ id: first(a), last: 'the channel of cell 0' }]);
  });

  test('E1 a channel entry that its reader skipped is lost', async () => {
    const { auditor, look, a, b } = await audited();
    await a.commit({ departures: [{ to: 1, ids: [first(a)] }] });
    const second = await a.commit({ departures: [{ to: 1, ids: [entityId(0, 2)] }] });
    await look();
    // On their way is not lost.
    expect(auditor.status()).toMatchObject({ inFlight: 2, lost: 0 });
    await b.commit({ arrivals: second });
    await look();
    expect(auditor.status()).toMatchObject({ lost: 1, duplicated: 0, unaccounted: 0 });
    const verdict = await auditor.verdict();
    expect(rulesOf(verdict)).toEqual(['E1']);
    expect(verdict.lost).toBe(1);
  });

  test('E1 an entity that a checkpoint forgot is lost once the log is trimmed', async () => {
    const { auditor, look, a } = await audited();
    await a.commit();
    await look();
    a.table.remove([first(a)]);
    await a.checkpoint();
    await at.redis.xtrim(a.keys.log, 'MAXLEN', 0);
    const verdict = await auditor.verdict();
    expect(verdict).toMatchObject({ lost: 1 });
    expect(verdict.lostEntities).toEqual([{ id: first(a), last: 'cell 0' }]);
  });

  test('E2 who died and is born again is found', async () => {
    const { auditor, look, a } = await audited();
    await a.commit({ deaths: [first(a)] });
    await a.commit({ birthIds: [first(a)] });
    await look();
    const verdict = await auditor.verdict();
    expect(rulesOf(verdict)).toEqual(['E2']);
    expect(verdict.violations[0]?.message).toContain('came back from death');
  });

  test('E2 who lives and is born again is found', async () => {
    const { auditor, look, a, b } = await audited();
    const out = await a.commit({ departures: [{ to: 1, ids: [first(a)] }] });
    await b.commit({ arrivals: out });
    await a.commit({ birthIds: [first(a)] });
    await look();
    const verdict = await auditor.verdict();
    expect(rulesOf(verdict)).toContain('E2');
    expect(verdict.duplicated).toBe(1);
  });

  test('a log that was trimmed before it was read is a blind spot, said and bridged', async () => {
    const { auditor, look, a, b } = await audited();
    const out = await a.commit({ departures: [{ to: 1, ids: [first(a)] }], births: 1 });
    await a.commit({ births: 1 });
    await a.commit({ withCheckpoint: true });
    await a.commit();
    await at.redis.xtrim(a.keys.log, 'MINID', `${a.seq}-0`);
    await b.commit({ arrivals: out });
    await look();
    const verdict = await auditor.verdict();
    expect(verdict.violations).toEqual([]);
    expect(verdict.blindSpots).toEqual([{ cell: 0, fromSeq: 2, toSeq: 4 }]);
    expect(verdict).toMatchObject({ lost: 0, duplicated: 0, unaccounted: 0, created: 2 });
  });

  test('E1 who came into a blind spot out of logs that are read later is not called broken', async () => {
    const { auditor, look, a, b, c } = await audited();
    const born = entityId(b.cell, 4);
    const ids = [born, first(c)];
    const toB = await c.commit({ departures: [{ to: 1, ids: [first(c)] }] });
    await b.commit({ arrivals: toB, births: 1 });
    const toA = await b.commit({ departures: [{ to: 0, ids }] });
    await a.commit({ births: 1 });
    await a.commit({ arrivals: toA });
    await a.commit({ departures: [{ to: 1, ids: [first(c)] }], withCheckpoint: true });
    await a.commit();
    await at.redis.xtrim(a.keys.log, 'MINID', `${a.seq}-0`);
    const real = reading as Reading;
    const news = real.news.bind(real);
    real.news = async (positions) => (await news(positions)).filter(({ cell }) => cell === a.cell);
    await auditor.round();
    real.news = news;
    await look();
    const verdict = await auditor.verdict();
    expect(verdict.violations).toEqual([]);
    expect(verdict.blindSpots).toHaveLength(1);
    expect(verdict).toMatchObject({ lost: 0, duplicated: 0, unaccounted: 0, created: 2 });
    expect(verdict).toMatchObject({ entitiesEnd: 14, inFlight: 1 });
  });

  test('L3 a log that goes back in a store that never restarted is found and counted anew', async () => {
    const { auditor, look, a } = await audited();
    const before = await at.redis.dump(a.keys.log);
    const meta = await at.redis.hgetall(a.keys.meta);
    await a.commit({ births: 1 });
    await look();
    await at.redis.xtrim(a.keys.log, 'MAXLEN', 0);
    expect(before).toBeTypeOf('string');
    await at.redis.del(a.keys.log, a.keys.meta);
    await at.redis.hset(a.keys.meta, meta);
    a.table.remove([entityId(0, 4)]);
    [a.seq, a.hash, a.tick] = [1, String(meta['hash']), 0];
    await a.checkpoint();
    await look();
    const verdict = await auditor.verdict();
    expect(rulesOf(verdict)).toEqual(['L3']);
    expect(verdict.rollbacks).toMatchObject([{ firstCell: 0, fromSeq: 2, toSeq: 1 }]);
    expect(verdict).toMatchObject({ lost: 0, entitiesEnd: 12 });
  });

  test('WORLD_NOT_READY a store without the world is refused by name', async () => {
    const facts = { world: at.world, incarnation: 9, layer: 'main', columns: 4, rows: 1 };
    reading = await openReading(at.url, { ...facts, blockCells: 2 });
    await expect(new Auditor(reading, timer).begin()).rejects.toMatchObject({
      code: 'WORLD_NOT_READY',
    });
  });
});
