/** A Redis of a benchmark's own: empty, with the settings of a world's server, gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findSource, launchRedis, missing } from '@leasehold/servers';

export type BenchRedis = { readonly url: string; stop(): Promise<void> };

/** Errors: `SERVER_MISSING` when there is no program to start a server from. */
export async function startRedis(): Promise<BenchRedis> {
  const reasons: string[] = [];
  // A server that others use, as REDIS_URL might name, would measure them.
  const env = { PATH: process.env['PATH'] };
  const source = await findSource({ purpose: 'run', env }, reasons);
  if (source?.kind !== 'binary') throw missing(reasons);
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
  const { url, pid, exited } = await launchRedis({ binary: source.binary, directory });
  // It is in a process group of its own: whatever ends this process must end it, too.
  const end = (): void => {
    process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', end);
  return {
    url,
    async stop() {
      process.off('exit', end);
      process.kill(pid, 'SIGKILL');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
