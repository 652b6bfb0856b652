/**
 * Takes snapshots of a running world one after the other while it is told to, as a lifecycle service
 * would, and lets go of those that nobody needs. REDIS_URL, DATABASE_URL and LEASEHOLD_HOME say where; the
 * first word says the rate in bytes a second, nothing means the default. A line `{"go":true}` begins,
 * `{"go":false}` ends; each snapshot is a line, and so is the end.
 */
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileRegistry } from '@leasehold/live-store';
import { openSnapshotStore } from '@leasehold/snapshot-store';
import { takeSnapshot } from '@leasehold/snapshots';

/** Sleeps that are ended early are no failures. */
const clock = {
  nowMs: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};
const WORLD = 'bench';
const KEPT = 2;

// As a lifecycle service does.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const env = (name: string): string => process.env[name] ?? '';
const [rate = ''] = process.argv.slice(2);
const found = await fileRegistry(env('LEASEHOLD_HOME')).read(WORLD);
if (found === undefined) throw new Error(`${WORLD} is not known`);
const record = found;
const snapshots = await openSnapshotStore({ url: env('DATABASE_URL') });
let count = 0;
let wish: Promise<void> | undefined;
let isGoing = false;

async function takeOn(): Promise<void> {
  while (isGoing) {
    const startedMs = performance.now();
    let readingMs = startedMs;
    const { entities } = await takeSnapshot({
      ...{ redisUrl: env('REDIS_URL'), record, snapshots, clock },
      id: `bench-${++count}`,
      ...(rate === '' ? {} : { bytesPerSecond: Number(rate) }),
      progress: ({ phase }) => {
        if (phase === 'waiting') readingMs = performance.now();
      },
    });
    const takenMs = performance.now();
    await snapshots.prune({ world: WORLD, keep: KEPT });
    const seconds = (takenMs - startedMs) / 1_000;
    console.log(
      JSON.stringify({ taken: count, entities, seconds, readingMs: takenMs - readingMs }),
    );
  }
  console.log(JSON.stringify({ idle: true }));
}

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const { go } = JSON.parse(line) as { go: boolean };
  isGoing = go;
  if (!go) await wish;
  else wish = takeOn();
}
await snapshots.close();
