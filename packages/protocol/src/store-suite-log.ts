/** Part of the store suite: commits, channels, checkpoints, following (L3, L4, E1, M1). */
import { expect, test } from 'vitest';
import { entryHash } from './entry-hash.ts';
import { BYTES_PER_CELL_MAX, type Commit, type FollowCursor, type Store } from './store.ts';
import { bytes, chainOf, EVERY_BYTE, headAt, hold, type SuiteWorld } from './store-suite-bench.ts';

/** Long enough that a wake-up, not the wait's end, must have answered. */
const BLOCK_MS = 5_000;

async function newsAt(store: Store, cursor: FollowCursor, blockMs = 0) {
  const news = await store.poll([cursor], blockMs);
  const found = news.find((item) => item.cell === cursor.cell);
  return found ?? { cell: cursor.cell, entries: [], out: [], resync: false };
}

export function commitTests(world: () => SuiteWorld): void {
  test('L3 a log is gap-free and chained, and holds bytes as they were', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    for (let i = 0; i < 5; i++) await held.commit({ body: EVERY_BYTE, tick: 10 + i });
    const entries = await chainOf(a, 5);
    expect(entries.map(({ seq, tick, version }) => [seq, tick, version])).toEqual(
      [1, 2, 3, 4, 5].map((seq) => [seq, 9 + seq, 1]),
    );
    for (const { body } of entries) expect([...body]).toEqual([...EVERY_BYTE]);
    expect(await headAt(a, 5)).toMatchObject({ seq: 5, tick: 14, hash: held.head.hash });
  });

  test('L3 a commit that does not extend the head is told where the head is', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const first = await held.commit();
    const second = await held.commit();
    const head = { tag: 'HEAD', seq: 2, hash: second.hash };
    const next = held.next();
    const wrong: Commit[] = [
      first,
      { ...second, hash: '0123456789abcdef' },
      { ...next, seq: 4 },
      { ...next, prevHash: first.hash },
      { ...next, prevHash: '' },
    ];
    for (const commit of wrong) expect((await a.commit([commit]))[0]).toEqual(head);
    expect(await chainOf(a, 5)).toHaveLength(2);
  });

  test('L3 what is refused has changed nothing', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    await held.commit({ out: [{ seq: 1, to: 6, body: bytes('x') }], checkpoint: bytes('one') });
    const before = await headAt(a, 5);
    const rich = { out: [{ seq: 2, to: 6, body: bytes('y') }], checkpoint: bytes('two') };
    const refused: [Commit, string][] = [
      [held.next({ ...rich, cursors: [{ cell: 6, from: 3, to: 4 }] }), 'BADCURSOR'],
      [held.next({ ...rich, cursors: [{ cell: 6, from: 0, to: -1 }] }), 'BADCURSOR'],
      [held.next({ ...rich, inbox: { from: 7, to: 9 } }), 'BADCURSOR'],
      [held.next({ out: [{ seq: 3, to: 6, body: bytes('y') }] }), 'BADCURSOR'],
      [held.next({ ...rich, body: new Uint8Array(BYTES_PER_CELL_MAX + 1) }), 'TOOBIG'],
      [held.next({ ...rich, prevHash: '0123456789abcdef' }), 'HEAD'],
      [held.next({ ...rich, claim: { ...held.claim, nonce: 'a.other' } }), 'FENCED'],
    ];
    for (const [commit, tag] of refused) {
      const [reply] = await a.commit([commit]);
      // A cursor that goes back may be an argument that makes no sense at all.
      const tags = tag === 'BADCURSOR' ? ['BADCURSOR', 'BADARG'] : [tag];
      expect(tags).toContain(reply?.tag);
      expect(await headAt(a, 5)).toEqual(before);
    }
    expect(await a.channel(5, 0)).toHaveLength(1);
    expect(await chainOf(a, 5)).toHaveLength(0);
    await held.commit(rich);
  });

  test('L4 a repeated commit answers ALREADY and changes nothing more', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const commit = await held.commit({
      out: [{ seq: 1, to: 6, body: bytes('x') }],
      cursors: [{ cell: 6, from: 0, to: 3 }],
      checkpoint: bytes('state'),
    });
    const before = await headAt(a, 5);
    for (let i = 0; i < 3; i++) expect((await a.commit([commit]))[0]).toEqual({ tag: 'ALREADY' });
    expect(await headAt(a, 5)).toEqual(before);
    expect(await a.channel(5, 0)).toHaveLength(1);
  });

  test('L4 two copies of a commit at once: one is applied', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const commit = held.next({ out: [{ seq: 1, to: 6, body: bytes('x') }] });
    const replies = await Promise.all([a.commit([commit]), a.commit([commit])]);
    expect(replies.map(([reply]) => reply?.tag).sort()).toEqual(['ALREADY', 'OK']);
    expect(await a.channel(5, 0)).toHaveLength(1);
  });

  test('L1 a repeated commit of a lease that ended is FENCED, not ALREADY', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const commit = await held.commit();
    await a.revoke([{ cell: 5, nonce: held.claim.nonce }]);
    expect((await a.commit([commit]))[0]).toMatchObject({ tag: 'FENCED' });
  });

  test('cells of one call succeed or are refused on their own, beyond one call’s limit', async () => {
    const { cells } = world();
    const a = await world().openStore('a');
    const numbers = Array.from({ length: Math.min(cells, 40) }, (_, i) => i);
    const nonces = numbers.map((cell) => ({ cell, nonce: `a.many${cell}`, ttlMs: 60_000 }));
    const grants = await a.acquire(nonces);
    const commits = grants.map((grant, cell): Commit => {
      if (grant.tag !== 'GRANTED') throw new Error(grant.tag);
      const body = new Uint8Array(64 * 1024).fill(cell);
      const prevHash = cell % 7 === 3 ? 'ffffffffffffffff' : '';
      const hash = entryHash('', 1, grant.claim.epoch, 1, body);
      const rest = { idCounter: 0, ttlMs: 60_000, cursors: [], out: [] };
      return { claim: grant.claim, seq: 1, prevHash, hash, tick: 1, body, ...rest };
    });
    const replies = await a.commit(commits);
    expect(replies.map(({ tag }) => tag)).toEqual(
      numbers.map((cell) => (cell % 7 === 3 ? 'HEAD' : 'OK')),
    );
    const images = await a.load(numbers.map((cell) => ({ cell })));
    for (const [cell, image] of images.entries()) {
      expect(image.cell).toBe(cell);
      expect(image.entries[0]?.body[0]).toBe(cell % 7 === 3 ? undefined : cell);
    }
    expect(await a.commit([])).toEqual([]);
  });

  test('several commits of one cell in one call are applied in order', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const commits: Commit[] = [];
    let head = held.head;
    for (let i = 0; i < 20; i++) {
      const seq = head.seq + 1;
      const body = bytes(`${i}`);
      const hash = entryHash(head.hash, seq, held.claim.epoch, seq, body);
      commits.push(held.next({ seq, prevHash: head.hash, hash, tick: seq, body }));
      head = { ...head, seq, hash };
    }
    expect((await a.commit(commits)).map(({ tag }) => tag)).toEqual(commits.map(() => 'OK'));
    expect(await chainOf(a, 5)).toHaveLength(20);
  });
}

export function channelTests(world: () => SuiteWorld): void {
  test('E1 what leaves a cell is read from its channel and taken once', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const [from, to] = [await hold(a, 5, 'a'), await hold(b, 6, 'b')];
    await from.commit({ tick: 7, out: [{ seq: 1, to: 6, body: EVERY_BYTE }] });
    await from.commit({
      tick: 8,
      out: [
        { seq: 2, to: 4, body: bytes('elsewhere') },
        { seq: 3, to: 6, body: bytes('again') },
      ],
    });
    const { out, entries } = await newsAt(b, { cell: 5, seq: 0, hash: '', outSeq: 0 });
    expect(out.map(({ body: _, ...rest }) => rest)).toEqual([
      { seq: 1, from: 5, to: 6, tick: 7 },
      { seq: 2, from: 5, to: 4, tick: 8 },
      { seq: 3, from: 5, to: 6, tick: 8 },
    ]);
    expect([...(out[0]?.body ?? [])]).toEqual([...EVERY_BYTE]);
    expect(entries).toHaveLength(2);
    expect(await b.channel(5, 1)).toEqual(out.slice(1));

    await to.commit({ cursors: [{ cell: 5, from: 0, to: 3 }] });
    expect((await headAt(b, 6)).cursors).toEqual(new Map([[5, 3]]));
    const again = to.next({ cursors: [{ cell: 5, from: 0, to: 3 }] });
    expect(await to.send(again)).toMatchObject({ tag: 'BADCURSOR' });
  });

  test('E1 a channel is trimmed behind its readers and never counts anew', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const outOf = (seq: number) => [{ seq, to: 6, body: bytes(`${seq}`) }];
    for (const seq of [1, 2, 3]) await held.commit({ out: outOf(seq) });
    await held.commit({ outTrimTo: 2 });
    expect((await a.channel(5, 0)).map(({ seq }) => seq)).toEqual([3]);
    await held.commit({ outTrimTo: 3 });
    expect(await a.channel(5, 0)).toEqual([]);
    expect((await headAt(a, 5)).outSeq).toBe(3);
    expect(await held.send(held.next({ out: outOf(1) }))).toMatchObject({ tag: 'BADCURSOR' });
    await held.commit({ out: outOf(4) });
    expect((await a.channel(5, 0)).map(({ seq }) => seq)).toEqual([4]);
  });

  test('M1 a repeated post is the same post, and unread posts are counted', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const post = (id: string) => a.post([{ cell: 5, id, body: bytes(id) }]);
    expect(await post('x')).toEqual([{ tag: 'OK', seq: 1 }]);
    expect(await post('x')).toEqual([{ tag: 'OK', seq: 1 }]);
    expect(await post('y')).toEqual([{ tag: 'OK', seq: 2 }]);
    expect(await held.send(held.next())).toMatchObject({ tag: 'OK', inboxLength: 2 });
    const taken = held.next({ inbox: { from: 0, to: 1 } });
    expect(await held.send(taken)).toMatchObject({ tag: 'OK', inboxLength: 1 });
    expect((await headAt(a, 5)).inboxCursor).toBe(1);
    const tooFar = held.next({ inbox: { from: 1, to: 9 } });
    expect(await held.send(tooFar)).toMatchObject({ tag: 'BADCURSOR' });
    expect(await post('x')).toEqual([{ tag: 'OK', seq: 1 }]);
    const repeated = held.next({ inbox: { from: 0, to: 1 } });
    expect(await held.send(repeated)).toMatchObject({ tag: 'BADCURSOR' });
  });

  test('M1 an inbox is bounded: it answers FULL and drops nothing unread', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const body = new Uint8Array(60 * 1024);
    let accepted = 0;
    for (let i = 0; i < 64; i++) {
      const [reply] = await a.post([{ cell: 5, id: `p${i}`, body }]);
      if (reply?.tag !== 'OK') {
        expect(reply).toEqual({ tag: 'FULL' });
        break;
      }
      accepted += 1;
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(64);
    expect(await held.send(held.next())).toMatchObject({ tag: 'OK', inboxLength: accepted });
    await held.commit({ inbox: { from: 0, to: accepted } });
    expect((await a.post([{ cell: 5, id: 'later', body }]))[0]).toMatchObject({ tag: 'OK' });
  });
}

export function followTests(world: () => SuiteWorld): void {
  test('a checkpoint begins an image, and the log is kept behind the older of two', async () => {
    const a = await world().openStore('a');
    const held = await hold(a, 5, 'a');
    const image = async (beforeTick?: number) => {
      const [found] = await a.load([
        beforeTick === undefined ? { cell: 5 } : { cell: 5, beforeTick },
      ]);
      return [found?.checkpoint?.seq, found?.entries.map(({ seq }) => seq)];
    };
    await held.commit();
    expect(await image()).toEqual([undefined, [1]]);
    await held.commit({ checkpoint: EVERY_BYTE });
    expect(await image()).toEqual([2, []]);
    await held.commit();
    await held.commit({ checkpoint: bytes('four') });
    await held.commit();
    expect(await image()).toEqual([4, [5]]);
    expect(await image(3)).toEqual([2, [3, 4, 5]]);
    expect(await image(4)).toEqual([2, [3, 4, 5]]);
    expect(await image(5)).toEqual([4, [5]]);
    const [found] = await a.load([{ cell: 5, beforeTick: 3 }]);
    expect([...(found?.checkpoint?.body ?? [])]).toEqual([...EVERY_BYTE]);
    expect((await headAt(a, 5)).checkpoints.map(({ seq, tick }) => [seq, tick])).toEqual([
      [4, 4],
      [2, 2],
    ]);
    await held.commit({ checkpoint: bytes('six') });
    expect(await image()).toEqual([6, []]);
    expect(await image(6)).toEqual([4, [5, 6]]);
  });

  test('a cell that nobody wrote is empty, and so is its image', async () => {
    const a = await world().openStore('a');
    expect(await headAt(a, 9)).toMatchObject({ cell: 9, seq: 0, hash: '', nonce: '', outSeq: 0 });
    expect(await a.load([{ cell: 9 }])).toEqual([{ cell: 9, entries: [] }]);
    expect(await newsAt(a, { cell: 9, seq: 0, hash: '', outSeq: 0 })).toMatchObject({
      entries: [],
      resync: false,
    });
  });

  test('a follower gets what extends its cursor, and nothing when there is nothing', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a');
    const [first, second] = [await held.commit(), await held.commit()];
    const seqs = async (seq: number, hash: string) => {
      const news = await newsAt(b, { cell: 5, seq, hash });
      expect(news.resync).toBe(false);
      return news.entries.map((entry) => entry.seq);
    };
    expect(await seqs(0, '')).toEqual([1, 2]);
    expect(await seqs(1, first.hash)).toEqual([2]);
    expect(await seqs(2, second.hash)).toEqual([]);
    expect((await newsAt(b, { cell: 5, seq: 0, hash: '' })).out).toEqual([]);
  });

  test('L3 a follower that cannot continue is told to load again', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a');
    const first = await held.commit();
    await held.commit();
    const wrong = 'ffffffffffffffff';
    const cursors: FollowCursor[] = [
      { cell: 5, seq: 1, hash: wrong },
      { cell: 5, seq: 2, hash: wrong },
      { cell: 5, seq: 7, hash: first.hash },
      { cell: 5, seq: 0, hash: '', outSeq: 3 },
      { cell: 9, seq: 1, hash: wrong },
    ];
    for (const cursor of cursors) {
      expect(await newsAt(b, cursor)).toMatchObject({ resync: true, entries: [] });
    }
    await held.commit({ checkpoint: bytes('three') });
    await held.commit({ checkpoint: bytes('four') });
    expect(await newsAt(b, { cell: 5, seq: 1, hash: first.hash })).toMatchObject({ resync: true });
  });

  test('a poll that waits answers with the next entry, and only then', async () => {
    const { advance } = world();
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a');
    let isDone = false;
    const waiting = newsAt(b, { cell: 5, seq: 0, hash: '' }, BLOCK_MS).finally(() => {
      isDone = true;
    });
    await advance(60);
    expect(isDone).toBe(false);
    await held.commit();
    // A server that sends no hints is polled again, which takes time too.
    for (let i = 0; i < 100 && !isDone; i++) await advance(20);
    expect((await waiting).entries).toHaveLength(1);
  });

  test('a poll of many cells tells of those with news, in one answer', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const cells = [3, 5, 20, 63];
    for (const cell of cells) {
      const held = await hold(a, cell, 'a');
      if (cell === 20) continue;
      await held.commit({ out: [{ seq: 1, to: 4, body: bytes(`${cell}`) }] });
    }
    const cursors = cells.map((cell) => ({ cell, seq: 0, hash: '', outSeq: 0 }));
    const news = await b.poll(cursors, 0);
    expect(news.filter(({ resync }) => resync)).toEqual([]);
    const told = news.filter(({ entries }) => entries.length > 0);
    expect(told.map(({ cell }) => cell).sort((x, y) => x - y)).toEqual([3, 5, 63]);
    for (const { cell, entries, out } of told) {
      expect(entries.map(({ seq }) => seq)).toEqual([1]);
      expect(out.map(({ from, body }) => [from, body])).toEqual([[cell, bytes(`${cell}`)]]);
    }
    expect(await b.poll([], BLOCK_MS)).toEqual([]);
  });

  test('a follower far behind gets everything, in as many polls as it takes', async () => {
    const [a, b] = [await world().openStore('a'), await world().openStore('b')];
    const held = await hold(a, 5, 'a');
    for (let i = 1; i <= 300; i++)
      await held.commit({ out: [{ seq: i, to: 6, body: bytes('x') }] });
    let cursor = { cell: 5, seq: 0, hash: '', outSeq: 0 };
    for (let polls = 0; polls < 20 && cursor.seq < 300; polls++) {
      const { entries, out } = await newsAt(b, cursor);
      const last = entries.at(-1) ?? cursor;
      expect(entries[0]?.seq).toBe(cursor.seq + 1);
      if (out.length > 0) expect(out[0]?.seq).toBe(cursor.outSeq + 1);
      const outSeq = cursor.outSeq + out.length;
      // E1: whoever acts on a tick has all that it sent.
      expect(outSeq).toBeGreaterThanOrEqual(last.seq);
      cursor = { ...cursor, seq: last.seq, hash: last.hash, outSeq };
    }
    expect(cursor).toMatchObject({ seq: 300, hash: held.head.hash, outSeq: 300 });
  });

  test('a poll that waits in vain ends', async () => {
    const { advance } = world();
    const b = await world().openStore('b');
    let isDone = false;
    const waiting = newsAt(b, { cell: 5, seq: 0, hash: '' }, 50).finally(() => {
      isDone = true;
    });
    for (let i = 0; i < 100 && !isDone; i++) await advance(20);
    expect(await waiting).toMatchObject({ entries: [], resync: false });
  });
}
