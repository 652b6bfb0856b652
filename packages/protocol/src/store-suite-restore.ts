/** Part of the store suite: what a cut of a world needs, and worlds that are put back. */
import { expect, test } from 'vitest';
import { entryHash } from './entry-hash.ts';
import { bytes, chainOf, headAt, hold, type SuiteWorld } from './store-suite-bench.ts';
import { type CellRestore, SEED_EPOCH } from './world-admin.ts';

const CUT: CellRestore = {
  ...{ cell: 5, seq: 40, hash: 'cut', tick: 90, idCounter: 7, asked: 3, outSeq: 12 },
  checkpoint: bytes('all rows'),
  cursors: [
    { cell: 6, seq: 4 },
    { cell: 2 ** 22 + 5, seq: 9 },
  ],
};

export function restoreTests(world: () => SuiteWorld): void {
  test('S1 L4 a restored cell stands where it stood, and goes on from there', async () => {
    const { admin } = world();
    const a = await world().openStore('a');
    expect(await admin.restoreCells([CUT])).toEqual([{ tag: 'OK' }]);
    expect(await admin.restoreCells([CUT])).toEqual([{ tag: 'ALREADY' }]);
    const other = { ...CUT, hash: 'other' };
    expect(await admin.restoreCells([other])).toEqual([{ tag: 'HEAD', seq: 40, hash: 'cut' }]);
    const at = { seq: 40, hash: 'cut', tick: 90, idCounter: 7, asked: 3, outSeq: 12 };
    const head = await headAt(a, 5);
    expect(head).toMatchObject({ ...at, nonce: '', restoredSeq: 40 });
    expect([...head.cursors]).toEqual(CUT.cursors.map(({ cell, seq }) => [cell, seq]));
    // From however far back it is asked for: its log has no other beginning.
    for (const beforeTick of [undefined, 91, 90, 5]) {
      const ask = beforeTick === undefined ? { cell: 5 } : { cell: 5, beforeTick };
      const [image] = await a.load([ask]);
      expect(image?.checkpoint).toMatchObject({ seq: 40, tick: 90, hash: 'cut' });
      expect(image?.checkpoint?.body).toEqual(CUT.checkpoint);
      expect(image?.entries).toEqual([]);
    }
    expect(await a.reserveIds(5, 2)).toBe(4);
    const holder = await hold(a, 5, 'a');
    await holder.commit({ cursors: [{ cell: 6, from: 4, to: 5 }] });
    expect(await chainOf(a, 5)).toHaveLength(1);
    expect(await admin.restoreCells([CUT])).toEqual([{ tag: 'ALREADY' }]);
  });

  test('S1 T1 the entry behind its checkpoint says who was leaving', async () => {
    const { admin } = world();
    const a = await world().openStore('a');
    const body = bytes('leaving');
    const hash = entryHash('cut', 41, SEED_EPOCH, 91, body);
    const restored = { ...CUT, last: { hash, tick: 91, body } };
    expect(await admin.restoreCells([restored])).toEqual([{ tag: 'OK' }]);
    expect(await headAt(a, 5)).toMatchObject({ seq: 41, hash, tick: 91 });
    const [entry] = await chainOf(a, 5);
    expect(entry).toMatchObject({ seq: 41, tick: 91, prevHash: 'cut', epoch: SEED_EPOCH });
    expect(entry?.body).toEqual(body);
    const [image] = await a.load([{ cell: 5, beforeTick: 91 }]);
    expect(image?.checkpoint?.tick).toBe(90);
    expect(await admin.restoreCells([restored])).toEqual([{ tag: 'ALREADY' }]);
  });

  test('E1 L4 what was on its way is there once, in the order of its channel', async () => {
    const { admin } = world();
    const a = await world().openStore('a');
    await admin.restoreCells([CUT]);
    const outs = [9, 10, 12].map((seq) => ({ seq, to: 6, tick: 88, body: bytes(`out ${seq}`) }));
    for (const some of [outs.slice(0, 2), outs]) {
      expect(await admin.restoreChannels([{ cell: 5, outs: some }])).toEqual([{ tag: 'OK' }]);
    }
    const read = await a.channel(5, 0);
    expect(read).toEqual(outs.map((out) => ({ ...out, from: 5 })));
    const beyond = [{ seq: 13, to: 6, tick: 88, body: bytes('x') }];
    expect(await admin.restoreChannels([{ cell: 5, outs: beyond }])).toMatchObject([
      { tag: 'BADARG' },
    ]);
    const holder = await hold(a, 5, 'a');
    await holder.commit({ out: [{ seq: 13, to: 6, body: bytes('next') }] });
    expect((await a.channel(5, 12)).map(({ seq }) => seq)).toEqual([13]);
  });

  test('S1 a cut that is read is told with the clock, for as long as was said', async () => {
    const a = await world().openStore('a');
    const clock = {
      mode: 'realtime',
      rateHz: 20,
      baseTick: 0,
      isPaused: false,
      endTick: 0,
    } as const;
    const set = await a.setClock(clock);
    await a.pinCut(77, 60_000);
    expect(await a.clock()).toEqual({ ...set, cutTick: 77 });
    await a.setClock({ ...set, cutTick: 5 });
    expect((await a.clock())?.cutTick).toBe(77);
    await a.pinCut(78, 0);
    expect(await a.clock()).not.toHaveProperty('cutTick');
    await a.pinCut(79, 40);
    await world().advance(60);
    expect(await a.clock()).not.toHaveProperty('cutTick');
  });

  test('S1 posts that are kept are readable, are no part of what waits, and go with the next', async () => {
    const a = await world().openStore('a');
    const holder = await hold(a, 5, 'a');
    await a.post(['x', 'y', 'z'].map((id) => ({ cell: 5, id, body: bytes(id) })));
    const kept = holder.next({ inbox: { from: 0, to: 2, keep: true } });
    expect(await holder.send(kept)).toMatchObject({ tag: 'OK', inboxLength: 1 });
    const [all] = await a.inboxes([{ cell: 5, after: 0 }]);
    expect(all?.map(({ id }) => id)).toEqual(['x', 'y', 'z']);
    expect((await headAt(a, 5)).inboxCursor).toBe(2);
    const [first] = await chainOf(a, 5);
    expect(first?.inbox).toEqual({ from: 0, to: 2 });
    expect(await holder.send(holder.next())).toMatchObject({ tag: 'OK', inboxLength: 1 });
    await holder.commit({ inbox: { from: 2, to: 3 } });
    expect(await a.inboxes([{ cell: 5, after: 0 }])).toEqual([[]]);
    expect((await chainOf(a, 5)).map(({ inbox }) => inbox)).toEqual([
      { from: 0, to: 2 },
      undefined,
      { from: 2, to: 3 },
    ]);
  });
}
