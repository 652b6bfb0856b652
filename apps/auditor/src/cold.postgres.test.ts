/**
 * Goal: the auditor finds cells that sleep in PostgreSQL as if they were in Redis, whatever moment they
 * choose. Method: a world written by hand, whose cells are taken out and put back key by key.
 */
import { createHash } from 'node:crypto';
import { entityId } from '@leasehold/kernel';
import type { ColdCell } from '@leasehold/protocol';
import { ColdCells } from '@leasehold/snapshot-store';
import { usePostgres, useRedis } from '@leasehold/testkit';
import { afterEach, expect, test } from 'vitest';
import { Auditor } from './auditor.ts';
import { blockKeyOf, placeOf, type WorldFacts } from './keys.ts';
import { openReading, type Reading } from './reading.ts';
import { type CellByHand, worldByHand } from './world-by-hand.ts';

const MOVES = 400;

const at = useRedis();
const db = usePostgres();
let reading: Reading | undefined;
let store: ColdCells | undefined;
const timer = { nowMs: () => 0, sleep: async () => undefined };

afterEach(async () => {
  reading?.close();
  await store?.close();
});

/** Cell 1 has nobody in it, and can be made to sleep and to wake. */
async function opened() {
  const { facts, cells } = await worldByHand(at.redis, at.world);
  const cell = cells[1] as CellByHand;
  await cell.commit({ deaths: [1, 2, 3].map((n) => entityId(1, n)), withCheckpoint: true });
  store = new ColdCells({ ...{ url: db.databaseUrl, ...facts }, layers: [facts.layer] });
  reading = await openReading(at.url, facts, store);
  return { facts, cell, cold: store, reading, auditor: new Auditor(reading, timer) };
}

const namesOf = ({ keys }: CellByHand): string[] => [
  keys.meta,
  keys.log,
  keys.out,
  ...keys.checkpoints,
];

async function imageOf(cell: CellByHand): Promise<ColdCell> {
  const { seq, hash, tick, keys } = cell;
  const state = `${hash} ${cell.epoch} 0 0`;
  const mark = createHash('sha1').update(state).digest().readUInt32BE(0);
  const head = new Map(Object.entries(await at.redis.hgetall(keys.meta)));
  const [a, b] = await Promise.all(keys.checkpoints.map((key) => at.redis.hgetallBuffer(key)));
  const body = [a, b].find((each) => Number(each?.['seq']) === seq)?.['body'] ?? Buffer.alloc(0);
  const more = { checkpoint: new Uint8Array(body), posted: [], geo: [] };
  return { cell: cell.cell, mark, seq, hash, tick, head, ...more };
}

/** What `cell_sleep` does; the returned function is what `cell_wake` does. */
async function sleep(facts: WorldFacts, cell: CellByHand, mark: number) {
  const names = namesOf(cell);
  const dumps = await Promise.all(names.map((name) => at.redis.dumpBuffer(name)));
  const block = blockKeyOf(facts, cell.cell);
  const marks = Buffer.alloc(4 * (placeOf(facts, cell.cell) + 1));
  marks.writeUInt32BE(mark, 4 * placeOf(facts, cell.cell));
  const fall = (): Promise<unknown> =>
    at.redis
      .multi()
      .hset(block, 'cold:main', marks)
      .del(...names)
      .exec();
  const wake = (): Promise<unknown> => {
    const multi = at.redis.multi().hdel(block, 'cold:main');
    for (const [i, dump] of dumps.entries()) {
      if (dump !== null) multi.restore(names[i] as string, 0, dump, 'REPLACE');
    }
    return multi.exec();
  };
  await fall();
  return { fall, wake };
}

test('L3 a cell that wakes or falls asleep while it is read is where it was', async () => {
  const { facts, cell, cold, reading: of } = await opened();
  const image = await imageOf(cell);
  await cold.put([image]);
  const { fall, wake } = await sleep(facts, cell, image.mark);
  let isMoving = true;
  const moving = (async () => {
    for (let i = 0; i < MOVES; i++) await (i % 2 === 0 ? wake() : fall());
    isMoving = false;
  })();
  const seen = new Set<number>();
  const places = new Set<boolean>();
  while (isMoving) {
    const [meta] = await of.metas([1]);
    const [whole] = await of.wholeCells([1]);
    seen.add(meta?.seq ?? 0).add(whole?.meta.seq ?? 0);
    places.add(meta?.isAsleep === true);
  }
  await moving;
  expect([...seen]).toEqual([cell.seq]);
  expect([...places].sort()).toEqual([false, true]);
});

test('what a cell did just before it fell asleep is a blind spot, and no broken log', async () => {
  const { facts, cell, cold, auditor } = await opened();
  expect(await auditor.begin()).toMatchObject({ entities: 9 });
  await cell.commit({ withCheckpoint: true });
  const image = await imageOf(cell);
  await cold.put([image]);
  const { wake } = await sleep(facts, cell, image.mark);
  const round = async (): Promise<void> => {
    for (let i = 0; i < 12; i++) await auditor.round();
  };
  await round();
  await wake();
  await cell.commit({ births: 1 });
  await round();
  expect(await auditor.verdict()).toMatchObject({
    ...{ isAtRest: true, violations: [], lost: 0, unaccounted: 0, created: 1, entitiesEnd: 10 },
    blindSpots: [{ cell: 1, fromSeq: 3, toSeq: 3 }],
  });
});

test('L2 a cell that was held and not written between two sleeps keeps its rules', async () => {
  const { facts, cell, cold, auditor } = await opened();
  await auditor.begin();
  const rounds = async (): Promise<void> => {
    for (let i = 0; i < 12; i++) await auditor.round();
  };
  for (const epoch of ['2000', '3000']) {
    await cell.grant(epoch);
    await rounds();
    const image = await imageOf(cell);
    await cold.put([image]);
    const { wake } = await sleep(facts, cell, image.mark);
    await rounds();
    await wake();
  }
  expect(await auditor.verdict()).toMatchObject({ isAtRest: true, violations: [] });
});

test('a cell that sleeps where nobody can look is a fault, and no empty cell', async () => {
  const { facts, cell, cold, auditor } = await opened();
  const image = await imageOf(cell);
  await sleep(facts, cell, image.mark);
  await expect(auditor.begin()).rejects.toMatchObject({ code: 'CELL_LOST' });
  await cold.put([image]);
  expect(await auditor.begin()).toMatchObject({ entities: 9 });
  const blind = await openReading(at.url, facts);
  const refused = new Auditor(blind, timer).begin();
  await expect(refused).rejects.toMatchObject({ code: 'CELL_COLD' });
  blind.close();
});
