import { COOL_CELLS_MAX, type CoolReply, type FeedEntry } from '@leasehold/protocol';
import { ManualClock } from '@leasehold/twin-store';
import { beforeEach, describe, expect, test } from 'vitest';
import { Cooling } from './cooling.ts';
import type { PodParts } from './settings.ts';

const LATER_MS = 60_000;

describe('cells that sleep', () => {
  let clock: ManualClock;
  let asked: number[][];
  let held: number[];
  let telling: number[];
  let told: string[];
  let answer: (cell: number) => CoolReply;
  let cooling: Cooling;

  beforeEach(() => {
    clock = new ManualClock(0);
    asked = [];
    held = [];
    telling = [];
    told = [];
    answer = () => ({ tag: 'COLD', hasLeft: true });
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const store = {
      feed: async ({ kind }: Omit<FeedEntry, 'atMs'>) => {
        told.push(kind);
      },
    };
    const cool = async (cells: readonly number[]): Promise<CoolReply[]> => {
      asked.push([...cells]);
      return cells.map(answer);
    };
    const parts = { ...{ pod: 'a', clock, log, store, cool } } as unknown as PodParts;
    cooling = new Cooling(parts, (cell, isTelling) => {
      held.push(cell);
      if (isTelling) telling.push(cell);
    });
  });

  const look = async (watched: readonly number[], isCut = false): Promise<void> => {
    cooling.look(watched, isCut);
    // What was answered is noted behind it.
    await new Promise(setImmediate);
    await clock.advance(LATER_MS);
  };
  const CELLS = [3, 4, 5];

  test('are asked to leave once, and again when something has come to them', async () => {
    await look(CELLS);
    await look(CELLS);
    expect(asked).toEqual([CELLS]);
    expect([cooling.counts.cellsCooled, cooling.isCold(4)]).toEqual([3, true]);
    cooling.wakes(4);
    expect(cooling.isCold(4)).toBe(false);
    await look(CELLS);
    expect(asked).toEqual([CELLS, [4]]);
    // Those that sleep no more are forgotten.
    await look([9]);
    await look(CELLS);
    expect(asked.slice(2)).toEqual([[9], CELLS]);
  });

  test('S1 stay while somebody reads the world as it was at a cut', async () => {
    await look(CELLS, true);
    expect(asked).toEqual([]);
    await look(CELLS);
    expect(asked).toEqual([CELLS]);
  });

  test('are held once more where their log goes on behind their checkpoint', async () => {
    answer = (cell) => (cell === 4 ? { tag: 'OPEN' } : { tag: 'COLD', hasLeft: false });
    await look(CELLS);
    expect([held, cooling.counts.cellsCooled]).toEqual([[4], 0]);
    await look(CELLS);
    expect(asked[1]).toEqual([4]);
  });

  test('are held once more until what they have sent has been read, and not at once again', async () => {
    const busy = { tag: 'BUSY', why: 'something waits in its channel' } as const;
    answer = (cell) => ({ ...busy, isUnread: cell === 4 });
    cooling.look(CELLS, false);
    await new Promise(setImmediate);
    await clock.advance(1_000);
    cooling.look(CELLS, false);
    await new Promise(setImmediate);
    expect([asked, held, telling]).toEqual([[CELLS], [4], [4]]);
  });

  test('wait while the cold store is away, which is said when it begins and when it ends', async () => {
    answer = () => ({ tag: 'OFF', why: 'away' });
    await look(CELLS);
    await look(CELLS);
    expect([told, cooling.counts.coolingWaits]).toEqual([['cooling-waits'], 1]);
    answer = () => ({ tag: 'COLD', hasLeft: true });
    await look(CELLS);
    expect([told, cooling.counts.coolingWaits]).toEqual([['cooling-waits', 'cooling-goes-on'], 0]);
    expect(asked).toHaveLength(3);
  });

  test('take turns where there are more than one call carries', async () => {
    const many = Array.from({ length: COOL_CELLS_MAX + 10 }, (_, cell) => cell);
    answer = () => ({ tag: 'BUSY', why: 'held', isLater: true });
    await look(many);
    await look(many);
    expect(asked.map(({ length }) => length)).toEqual([COOL_CELLS_MAX, COOL_CELLS_MAX]);
    expect(asked[1]?.slice(0, 11)).toEqual([...many.slice(COOL_CELLS_MAX), 0]);
  });
});
