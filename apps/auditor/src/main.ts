/**
 * The auditor: reads a world from Redis by itself and judges what was lost or duplicated. It talks
 * in JSON lines on stdout: `ready`, then `status` again and again, and after `rest` on stdin or
 * SIGTERM a last `verdict`. When stdin of a child
 * (LEASEHOLD_PARENT=1) ends, whoever asked is gone, and it leaves without one.
 *
 * Exit codes: 0 the verdict was given, whatever it is; 2 it could not be reached.
 */

import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultReport, hasCode } from '@leasehold/kernel';
import type { AuditMessage } from '@leasehold/protocol';
import { ColdCells } from '@leasehold/snapshot-store';
import { Auditor } from './auditor.ts';
import { loadConfig } from './config.ts';
import { openReading } from './reading.ts';

/** While the store is away a look is tried again this often. */
const AWAY_MS = 200;
/** A poll that found this much is followed by the next without a pause. */
const BUSY_ENTRIES = 2_000;

const say = (message: AuditMessage | { readonly type: 'fault' }): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

let hasParent = false;
let isAsked = false;
const ask = (): void => {
  isAsked = true;
};
process.on('SIGTERM', ask);
// Ctrl-C reaches the whole process group; whoever started the auditor decides when it ends.
process.on('SIGINT', () => undefined);
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (line.trim() === 'rest') ask();
});
input.on('close', () => {
  if (hasParent && !isAsked) process.exit(0);
});

const timer = {
  nowMs: () => performance.now(),
  sleep: async (ms: number) => {
    await sleep(ms);
  },
};

try {
  const config = loadConfig(process.env);
  hasParent = config.hasParent === 1;
  const layers = config.layers === '' ? [] : config.layers.split(',');
  const facts = { ...config, layers };
  const url = config.snapshotsUrl === '' ? config.databaseUrl : config.snapshotsUrl;
  const cold = url === '' ? undefined : new ColdCells({ url, ...facts });
  const reading = await openReading(config.redisUrl, facts, cold);
  const auditor = new Auditor(reading, timer);
  say(await auditor.begin());
  let saidAtMs = 0;
  while (!isAsked) {
    let pauseMs = config.pollMs;
    try {
      const count = await auditor.round();
      auditor.isConnected = true;
      if (count > BUSY_ENTRIES) pauseMs = 0;
    } catch (error) {
      if (!isNetworkFault(error)) throw error;
      auditor.isConnected = false;
      pauseMs = AWAY_MS;
    }
    if (timer.nowMs() - saidAtMs >= config.statusMs) {
      saidAtMs = timer.nowMs();
      say(auditor.status());
    }
    if (!isAsked) await sleep(pauseMs);
  }
  say(await auditor.verdict());
  reading.close();
  await cold?.close();
  input.close();
} catch (error) {
  say({ type: 'fault', ...faultReport(error) });
  process.exitCode = 2;
  process.exit();
}

/** Errors of the connection, not of the code: the store may come back. */
function isNetworkFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (hasCode(error, 'DATABASE_UNREACHABLE') || hasCode(error, 'DATABASE_REFUSED')) return true;
  const text = `${error.name} ${error.message}`;
  return /MaxRetriesPerRequest|ECONN|EPIPE|ETIMEDOUT|Connection is closed|Stream isn't writeable|Command timed out|LOADING|READONLY|MASTERDOWN|ENOTFOUND|Reached the max retries/.test(
    text,
  );
}
