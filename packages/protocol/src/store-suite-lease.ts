/** Part of the store suite: who may write, and how that changes hands (L1, L2, L4, L5). */
import { expect, test } from 'vitest';
import {
  acquireOne,
  chainOf,
  type Granted,
  headAt,
  hold,
  LONG_MS,
  nonceOf,
  type SuiteWorld,
} from './store-suite-bench.ts';

/** On top of a time that must have passed, for a server whose clock is not ours. */
const MARGIN_MS = 30;

export function leaseTests(world: () => SuiteWorld): void {
  test('L1 a held cell is refused to everyone else, naming the holder', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a');
    const reply = await acquireOne(b, 5, nonceOf('b'));
    expect(reply).toMatchObject({ tag: 'HELD', nonce: held.claim.nonce });
    if (reply.tag === 'HELD') expect(reply.deadlineMs).toBeGreaterThan(reply.nowMs);
    await held.commit();
  });

  test('L1 only nonce and epoch together are the lease', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const { nonce, epoch } = held.claim;
    const wrong = [
      { cell: 5, nonce: nonceOf('a'), epoch },
      { cell: 5, nonce, epoch: String(BigInt(epoch) + 1n) },
      { cell: 5, nonce, epoch: String(BigInt(epoch) - 1n) },
      { cell: 6, nonce, epoch },
    ];
    for (const claim of wrong) {
      const [reply] = await a.commit([held.next({ claim })]);
      expect(reply).toMatchObject({ tag: 'FENCED' });
      expect((await a.renew([claim], LONG_MS))[0]).toMatchObject({ tag: 'FENCED' });
      expect((await a.release([claim]))[0]).toMatchObject({ tag: 'FENCED' });
      expect((await a.handover([claim], 'b'))[0]).toMatchObject({ tag: 'FENCED' });
    }
    expect(await headAt(a, 5)).toMatchObject({ seq: 0, nonce, epoch });
    await held.commit();
  });

  test('L1 whoever lost the lease writes nothing more', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const old = await hold(a, 5, 'a');
    await old.commit();
    expect((await b.revoke([{ cell: 5, nonce: old.claim.nonce }]))[0]).toMatchObject({ tag: 'OK' });
    expect(await old.send(old.next())).toMatchObject({ tag: 'FENCED' });
    const heir = await hold(b, 5, 'b');
    expect(await old.send(old.next())).toMatchObject({ tag: 'FENCED', nonce: heir.claim.nonce });
    expect((await a.renew([old.claim], LONG_MS))[0]).toMatchObject({ tag: 'FENCED' });
    expect((await a.release([old.claim]))[0]).toMatchObject({ tag: 'FENCED' });
    await heir.commit();
    expect(await chainOf(a, 5)).toHaveLength(2);
  });

  test('L1 a revoke that does not name the holder ends nothing', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    for (const nonce of [nonceOf('a'), nonceOf('b')]) {
      const [reply] = await a.revoke([{ cell: 5, nonce }]);
      expect(reply).toMatchObject({ tag: 'FENCED', nonce: held.claim.nonce });
    }
    await held.commit();
  });

  test('L2 epochs rise with every grant, and stay exact beyond 1e14', async () => {
    const a = await world().openStore('a');
    const epochs: string[] = [];
    for (let i = 0; i < 4; i++) {
      const held = await hold(a, 5, 'a');
      epochs.push(held.claim.epoch);
      await held.commit();
      await a.release([held.claim]);
    }
    for (const [i, epoch] of epochs.entries()) {
      expect(epoch).toMatch(/^\d{16,}$/);
      if (i > 0) expect(BigInt(epoch) > BigInt(epochs[i - 1] as string)).toBe(true);
    }
    expect((await chainOf(a, 5)).map((entry) => entry.epoch)).toEqual(epochs);
  });

  test('L2 a nonce that held a cell is not granted it a second time', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    await a.release([held.claim]);
    expect((await acquireOne(a, 5, held.claim.nonce)).tag).not.toBe('GRANTED');
    await hold(a, 5, 'a');
  });

  test('L4 a repeated acquire is the same grant', async () => {
    const a = await world().openStore('a');
    const nonce = nonceOf('a');
    const first = (await acquireOne(a, 5, nonce)) as Granted;
    const second = (await acquireOne(a, 5, nonce)) as Granted;
    const { nowMs: _first, ...facts } = first;
    expect(second).toMatchObject({ ...facts, head: { ...facts.head } });
  });

  test('L4 a repeated release, handover or revoke changes nothing more', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a');
    for (let i = 0; i < 2; i++) {
      expect((await a.release([held.claim]))[0]).toMatchObject({ tag: 'OK' });
    }
    const next = await hold(b, 5, 'b');
    expect((await a.release([held.claim]))[0]).toMatchObject({ tag: 'FENCED' });
    expect((await a.handover([held.claim], 'a'))[0]).toMatchObject({ tag: 'FENCED' });
    const nonce = held.claim.nonce;
    expect((await a.revoke([{ cell: 5, nonce }]))[0]).toMatchObject({ tag: 'FENCED' });
    await next.commit();
    const { nonce: second } = next.claim;
    for (let i = 0; i < 2; i++) {
      expect((await a.revoke([{ cell: 5, nonce: second }]))[0]).toMatchObject({ tag: 'OK' });
    }
    const third = await hold(a, 5, 'a');
    for (let i = 0; i < 2; i++) {
      expect((await a.handover([third.claim], 'b'))[0]).toMatchObject({ tag: 'OK' });
    }
    expect(await acquireOne(a, 5, nonceOf('a'))).toMatchObject({ tag: 'RESERVED', heir: 'b' });
  });

  test('L5 an expired holder that commits or renews after the first strike stays', async () => {
    const { ttlMs, graceMs, advance } = world();
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a', ttlMs);
    const clears = [
      (ms: number) => held.commit({ ttlMs: ms }),
      async (ms: number) =>
        expect((await a.renew([held.claim], ms))[0]).toMatchObject({ tag: 'OK' }),
    ];
    for (const clear of clears) {
      await advance(ttlMs + MARGIN_MS);
      const strike = await acquireOne(b, 5, nonceOf('b'));
      expect(strike).toMatchObject({ tag: 'SUSPECT', nonce: held.claim.nonce });
      if (strike.tag === 'SUSPECT') {
        expect(strike.retryInMs).toBeGreaterThan(0);
        expect(strike.retryInMs).toBeLessThanOrEqual(graceMs);
      }
      await clear(LONG_MS);
      await advance(graceMs + MARGIN_MS);
      expect(await acquireOne(b, 5, nonceOf('b'))).toMatchObject({ tag: 'HELD' });
      // The mark is gone, not only covered: when the lease runs out again, it is a first strike.
      await clear(ttlMs);
      await advance(ttlMs + MARGIN_MS);
      expect(await acquireOne(b, 5, nonceOf('b'))).toMatchObject({ tag: 'SUSPECT' });
      await clear(ttlMs);
    }
  });

  test('L5 one strike takes no lease, however late it comes', async () => {
    const { ttlMs, graceMs, advance } = world();
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a', ttlMs);
    await advance(ttlMs + 10 * graceMs);
    expect(await acquireOne(b, 5, nonceOf('b'))).toMatchObject({ tag: 'SUSPECT' });
    await held.commit();
  });

  test('W1 a silent holder is replaced after its lease and one grace time', async () => {
    const { ttlMs, graceMs, advance } = world();
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const old = await hold(a, 5, 'a', ttlMs);
    await old.commit({ ttlMs });
    const nonce = nonceOf('b');
    await advance(ttlMs + MARGIN_MS);
    expect(await acquireOne(b, 5, nonce)).toMatchObject({ tag: 'SUSPECT' });
    await advance(graceMs + MARGIN_MS);
    const reply = await acquireOne(b, 5, nonce);
    expect(reply).toMatchObject({ tag: 'GRANTED', cause: 'expired', from: 'a', attempts: 1 });
    if (reply.tag === 'GRANTED') {
      expect(reply.head).toMatchObject({ seq: 1, nonce });
      expect(reply.nowMs - reply.lastAtMs).toBeGreaterThanOrEqual(ttlMs + graceMs);
    }
    expect(await old.send(old.next())).toMatchObject({ tag: 'FENCED', nonce });
  });

  test('L5 ALREADY extends no lease', async () => {
    const { ttlMs, advance } = world();
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a', ttlMs);
    const commit = await held.commit({ ttlMs });
    await advance(ttlMs + MARGIN_MS);
    expect((await a.commit([{ ...commit, ttlMs: LONG_MS }]))[0]).toEqual({ tag: 'ALREADY' });
    expect(await acquireOne(b, 5, nonceOf('b'))).toMatchObject({ tag: 'SUSPECT' });
  });

  test('attempts count grants since the last commit', async () => {
    const a = await world().openStore('a');
    for (const attempts of [1, 2, 3]) {
      const held = await hold(a, 5, 'a');
      expect(held.granted.attempts).toBe(attempts);
      if (attempts === 3) await held.commit();
      await a.revoke([{ cell: 5, nonce: held.claim.nonce }]);
    }
    expect((await hold(a, 5, 'a')).granted.attempts).toBe(1);
  });

  test('a holder that gives a cell back has not failed at it', async () => {
    const a = await world().openStore('a');
    for (let i = 0; i < 3; i++) {
      const held = await hold(a, 5, 'a');
      expect(held.granted.attempts).toBe(1);
      await a.release([held.claim]);
    }
  });

  test('a grant says how the cell came free and from whom', async () => {
    const a = await world().openStore('a');
    const first = await hold(a, 5, 'a');
    expect(first.granted).toMatchObject({ cause: 'free', from: '', lastAtMs: 0 });
    await a.release([first.claim]);
    const second = await hold(a, 5, 'b');
    expect(second.granted).toMatchObject({ cause: 'released', from: 'a' });
    await a.revoke([{ cell: 5, nonce: second.claim.nonce }]);
    const third = await hold(a, 5, 'c');
    expect(third.granted).toMatchObject({ cause: 'revoked', from: 'b' });
    await third.commit({ ending: 'release' });
    const fourth = await hold(a, 5, 'd');
    expect(fourth.granted).toMatchObject({ cause: 'released', from: 'c' });
    const { lastAtMs, nowMs } = fourth.granted;
    expect(lastAtMs).toBeGreaterThan(0);
    expect(lastAtMs).toBeLessThanOrEqual(nowMs);
  });

  for (const how of ['handover', 'the last commit'] as const) {
    test(`a cell given away by ${how} is kept for its heir, for a moment`, async () => {
      const { heirMs, advance } = world();
      const [a, b] = [await world().openStore('a'), await world().openStore('b')];
      const give = async (cell: number) => {
        const held = await hold(a, cell, 'a');
        if (how === 'handover') await a.handover([held.claim], 'b');
        else await held.commit({ ending: { heir: 'b' } });
        expect(await held.send(held.next())).toMatchObject({ tag: 'FENCED' });
      };
      await give(5);
      expect(await acquireOne(a, 5, nonceOf('c'))).toMatchObject({ tag: 'RESERVED', heir: 'b' });
      const heir = await hold(b, 5, 'b');
      expect(heir.granted).toMatchObject({ cause: 'handover', from: 'a' });
      await heir.commit();

      await give(6);
      await advance(heirMs + MARGIN_MS);
      expect((await hold(a, 6, 'c')).granted).toMatchObject({ cause: 'released', from: 'a' });
    });
  }

  test('two pods that ask at once: one is granted', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const cells = Array.from({ length: 32 }, (_, i) => i);
    const ask = (store: typeof a, pod: string) =>
      store.acquire(cells.map((cell) => ({ cell, nonce: nonceOf(pod), ttlMs: LONG_MS })));
    const [left, right] = await Promise.all([ask(a, 'a'), ask(b, 'b')]);
    for (const cell of cells) {
      expect([left[cell]?.tag, right[cell]?.tag].sort()).toEqual(['GRANTED', 'HELD']);
    }
  });
}
