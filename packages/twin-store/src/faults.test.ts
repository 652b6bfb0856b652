import { type Commit, entryHash, type Store } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { openTwinAdmin, openTwinStore, twinServer } from './index.ts';

const grid = { cells: 64, blocks: 4, blockOf: (cell: number) => Math.floor(cell / 16) };
const at = { world: 'faults', incarnation: 1, layer: 'main' };
const TTL_MS = 1_000;

async function bench(options: { replicas?: number; replicaLagMs?: number } = {}) {
  const server = twinServer({ grid, graceMs: 100, ...options });
  await openTwinAdmin(server, at).createBlocks();
  const open = (pod: string) => openTwinStore(server, { ...at, pod });
  return { server, open };
}

async function grant(store: Store, nonce: string, cell = 5) {
  const [reply] = await store.acquire([{ cell, nonce, ttlMs: TTL_MS }]);
  return reply;
}

function commitAfter(epoch: string, nonce: string, seq = 1, prevHash = ''): Commit {
  const body = Uint8Array.of(seq);
  return {
    claim: { cell: 5, nonce, epoch },
    seq,
    prevHash,
    hash: entryHash(prevHash, seq, epoch, seq, body),
    tick: seq,
    body,
    idCounter: 0,
    ttlMs: TTL_MS,
    cursors: [],
    out: [],
  };
}

async function claimOf(store: Store, nonce: string): Promise<string> {
  const reply = await grant(store, nonce);
  if (reply?.tag !== 'GRANTED') throw new Error(`not granted: ${reply?.tag}`);
  return reply.claim.epoch;
}

describe('faults of the twin', () => {
  test('L4 a lost reply is UNKNOWN, and the repeated call learns that it was done', async () => {
    const { server, open } = await bench();
    const a = open('a');
    server.dropReplies(1);
    expect(await grant(a, 'a.1')).toMatchObject({ tag: 'UNKNOWN' });
    const epoch = await claimOf(a, 'a.1');
    const commit = commitAfter(epoch, 'a.1');
    server.dropReplies(1, 'commit');
    expect(await a.heads([5])).toHaveLength(1);
    expect(await a.commit([commit])).toMatchObject([{ tag: 'UNKNOWN' }]);
    expect(await a.commit([commit])).toEqual([{ tag: 'ALREADY' }]);
  });

  test('L4 a lost request is UNKNOWN, and the repeated call is the first', async () => {
    const { server, open } = await bench();
    const a = open('a');
    const epoch = await claimOf(a, 'a.1');
    server.dropRequests(1, 'commit');
    const commit = commitAfter(epoch, 'a.1');
    expect(await a.commit([commit])).toMatchObject([{ tag: 'UNKNOWN' }]);
    expect(await a.commit([commit])).toMatchObject([{ tag: 'OK' }]);
  });

  test('L3 a refused write has changed nothing', async () => {
    const { server, open } = await bench();
    const a = open('a');
    const epoch = await claimOf(a, 'a.1');
    server.refuseWrites('OOM command not allowed');
    expect(await a.commit([commitAfter(epoch, 'a.1')])).toMatchObject([{ tag: 'REFUSED' }]);
    server.refuseWrites();
    expect(await a.commit([commitAfter(epoch, 'a.1')])).toMatchObject([{ tag: 'OK' }]);
  });

  test('L5 a stall that outlasts a lease evicts nobody who comes right after it', async () => {
    const { server, open } = await bench();
    const [a, b] = [open('a'), open('b')];
    const epoch = await claimOf(a, 'a.1');
    server.stall(3 * TTL_MS);
    const taking = grant(b, 'b.1');
    const keeping = a.commit([commitAfter(epoch, 'a.1')]);
    await server.advance(3 * TTL_MS);
    expect(await taking).toMatchObject({ tag: 'SUSPECT' });
    expect(await keeping).toMatchObject([{ tag: 'OK' }]);
    expect(await grant(b, 'b.2')).toMatchObject({ tag: 'HELD' });
  });

  test('L5 a clock set forward takes no lease from who commits within the grace time', async () => {
    const { server, open } = await bench();
    const [a, b] = [open('a'), open('b')];
    const epoch = await claimOf(a, 'a.1');
    server.stepClock(60 * TTL_MS);
    expect(await grant(b, 'b.1')).toMatchObject({ tag: 'SUSPECT', retryInMs: 100 });
    expect(await a.commit([commitAfter(epoch, 'a.1')])).toMatchObject([{ tag: 'OK' }]);
    expect(await grant(b, 'b.1')).toMatchObject({ tag: 'HELD' });
  });

  test('L5 a clock set back keeps no dead holder longer than its term, and L2 epochs rise', async () => {
    const { server, open } = await bench();
    const [a, b] = [open('a'), open('b')];
    const epoch = await claimOf(a, 'a.1');
    server.stepClock(-3_600_000);
    expect(await grant(b, 'b.1')).toMatchObject({ tag: 'HELD' });
    await server.advance(TTL_MS);
    expect(await grant(b, 'b.1')).toMatchObject({ tag: 'SUSPECT' });
    await server.advance(100);
    const reply = await grant(b, 'b.1');
    expect(reply).toMatchObject({ tag: 'GRANTED', cause: 'expired' });
    if (reply?.tag === 'GRANTED') {
      expect(BigInt(reply.claim.epoch)).toBe(BigInt(epoch) + 1n);
    }
  });

  test('a rollback loses what came after, and the holder learns the head and can heal it', async () => {
    const { server, open } = await bench();
    const [a, b] = [open('a'), open('b')];
    const epoch = await claimOf(a, 'a.1');
    const first = commitAfter(epoch, 'a.1');
    await a.commit([first]);
    const snapshot = server.snapshot();
    const second = commitAfter(epoch, 'a.1', 2, first.hash);
    await a.commit([second]);
    const third = commitAfter(epoch, 'a.1', 3, second.hash);
    const { runId } = a.status();
    await server.advance(50);
    server.rollback(snapshot);
    expect(a.status()).toMatchObject({ isConnected: true, connectedForMs: 0 });
    expect(a.status().runId).not.toBe(runId);
    const cursor = { cell: 5, seq: 2, hash: second.hash };
    expect(await b.poll([cursor], 0)).toMatchObject([{ resync: true }]);
    expect(await a.commit([third])).toEqual([{ tag: 'HEAD', seq: 1, hash: first.hash }]);
    expect(await a.commit([second, third])).toMatchObject([{ tag: 'OK' }, { tag: 'OK' }]);
    expect(await b.poll([cursor], 0)).toMatchObject([{ resync: false, entries: [{ seq: 3 }] }]);
  });

  test('a server that lost everything is NOWORLD, never an empty world', async () => {
    const { server, open } = await bench();
    const a = open('a');
    server.lose();
    expect(await grant(a, 'a.1')).toEqual({ tag: 'NOWORLD' });
  });

  test('a dead process is not connected, and its calls reach nobody', async () => {
    const { server, open } = await bench();
    const [a, b] = [open('a'), open('b')];
    const heard: string[] = [];
    await a.announce('a', 1, (message) => heard.push(message));
    const epoch = await claimOf(a, 'a.1');
    const waiting = expect(a.poll([{ cell: 5, seq: 0, hash: '' }], 10_000)).rejects.toThrow();
    await server.advance(10);
    server.disconnect('a');
    await waiting;
    expect(await b.connected(['a'])).toEqual(new Set());
    await b.notify('a', 'lost');
    expect(await a.commit([commitAfter(epoch, 'a.1')])).toMatchObject([{ tag: 'UNKNOWN' }]);
    await expect(a.load([{ cell: 5 }])).rejects.toThrow('the connection broke');
    expect(a.status()).toMatchObject({ isConnected: false, connectedForMs: 0 });
    server.reconnect('a');
    expect(await b.connected(['a'])).toEqual(new Set(['a']));
    expect(await a.commit([commitAfter(epoch, 'a.1')])).toMatchObject([{ tag: 'OK' }]);
    expect(heard).toEqual([]);
  });

  test('a barrier waits for the replicas, and fails when the server is another', async () => {
    const { server, open } = await bench({ replicas: 1, replicaLagMs: 40 });
    const a = open('a');
    expect(a.status().replicas).toBe(1);
    let isDone = false;
    const waiting = a.barrier().then(() => {
      isDone = true;
    });
    await server.advance(39);
    expect(isDone).toBe(false);
    await server.advance(1);
    await waiting;
    const snapshot = server.snapshot();
    const broken = expect(a.barrier()).rejects.toThrow();
    await server.advance(10);
    server.rollback(snapshot);
    await broken;
  });

  test('a store keeps what it was given, whatever the caller does with its buffers', async () => {
    const { open } = await bench();
    const a = open('a');
    const epoch = await claimOf(a, 'a.1');
    const commit = { ...commitAfter(epoch, 'a.1'), checkpoint: Uint8Array.of(7) };
    await a.commit([commit]);
    commit.body.fill(99);
    commit.checkpoint.fill(99);
    const [image] = await a.load([{ cell: 5, beforeTick: 1 }]);
    expect(image?.entries[0]?.body).toEqual(Uint8Array.of(1));
    expect((await a.load([{ cell: 5 }]))[0]?.checkpoint?.body).toEqual(Uint8Array.of(7));
  });

  test('worlds, incarnations and layers of one server do not touch', async () => {
    const { server, open } = await bench();
    const others = [
      { ...at, incarnation: 2 },
      { ...at, world: 'faults2' },
      { ...at, layer: 'other' },
    ];
    await claimOf(open('a'), 'a.1');
    for (const other of others) {
      await openTwinAdmin(server, other).createBlocks();
      expect(await grant(openTwinStore(server, other), 'b.1')).toMatchObject({ tag: 'GRANTED' });
    }
    expect(await openTwinAdmin(server, at).incarnations()).toEqual([1, 2]);
    await openTwinAdmin(server, at).forget();
    expect(await openTwinAdmin(server, at).incarnations()).toEqual([2]);
  });
});
