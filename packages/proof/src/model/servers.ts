/** Real servers for histories: one process, or three primaries of a cluster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findSource, type Launched, launchRedis, missing } from '@leasehold/servers';

export type ProofServer = {
  readonly url: string;
  close(): Promise<void>;
};

/** A server without a disk behind it: what is lost is decided by the histories themselves. */
const ARGS = ['--appendonly', 'no', '--notify-keyspace-events', ''] as const;

/** Throws `SERVER_MISSING` when there is no program to start one from. */
export async function startServer(extra: readonly string[] = []): Promise<ProofServer> {
  const reasons: string[] = [];
  const source = await findSource({ purpose: 'test' }, reasons);
  if (source === undefined) throw missing(reasons);
  if (source.kind !== 'binary') return { url: source.redisUrl, close: () => source.close() };
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-proof-'));
  const args = [...ARGS, ...extra];
  const server = await launchRedis({ binary: source.binary, directory, args });
  return { url: server.url, close: () => end(server, directory) };
}

async function end({ pid, exited }: Launched, directory: string): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await exited;
  rmSync(directory, { recursive: true, force: true });
}
