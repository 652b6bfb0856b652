import type { PodRecord, Store } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { Roster } from './roster.ts';

test('L5 after a failover others are waited for until they have been heard of, not only seen', async () => {
  let nowMs = 10_000;
  let runId = 'before';
  let seenAtMs = nowMs;
  const status = () => ({ isConnected: true, runId, connectedForMs: 5_000, replicas: 1 });
  const other = () => ({ pod: 'pod-b', state: 'ready', seenAtMs }) as PodRecord;
  const pods = async () => [other()];
  const connected = async () => new Set(['pod-b']);
  const store = { status, pods, connected, nowMs: () => nowMs } as unknown as Store;
  const roster = new Roster(store, 'pod-a');
  const look = async (): Promise<boolean> => {
    nowMs += 50;
    await roster.look(nowMs, []);
    return roster.isAwaiting;
  };
  expect(await look()).toBe(false);
  runId = 'after';
  expect(await look()).toBe(true);
  expect(await look()).toBe(true);
  seenAtMs = nowMs;
  expect(await look()).toBe(false);
  // Nobody is waited for for ever.
  runId = 'again';
  expect(await look()).toBe(true);
  nowMs += 3_000;
  expect(await look()).toBe(false);
});
