/** Real servers for histories: one process, or three primaries of a cluster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findSource, freePort, type Launched, launchRedis, missing } from '@leasehold/servers';
import { Redis } from 'ioredis';
import { firstSlotOf, PRIMARIES } from './hub.ts';

export type ProofServers = {
  /** One, or the primaries of a cluster in the order of their slots. */
  readonly urls: readonly string[];
  close(): Promise<void>;
};

/** A server without a disk behind it: what is lost is decided by the histories themselves. */
const ARGS = ['--appendonly', 'no', '--notify-keyspace-events', ''] as const;
const POLL_MS = 50;
const CLUSTER_WAIT_MS = 20_000;

/** Throws `SERVER_MISSING` when there is no program to start one from. */
export async function startServers(isCluster: boolean): Promise<ProofServers> {
  const reasons: string[] = [];
  const source = await findSource({ purpose: 'test' }, reasons);
  if (source === undefined) throw missing(reasons);
  if (source.kind !== 'binary') {
    if (isCluster) throw new Error('a cluster needs a redis-server program on this machine');
    return { urls: [source.redisUrl], close: () => source.close() };
  }
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-proof-'));
  const servers: Launched[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) await end(server);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const buses: number[] = [];
    for (let i = 0; i < (isCluster ? PRIMARIES : 1); i++) {
      const bus = await freePort();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(bus)];
      const own = { binary: source.binary, directory: join(directory, String(i)) };
      buses.push(bus);
      servers.push(await launchRedis({ ...own, args: [...ARGS, ...(isCluster ? args : [])] }));
    }
    if (isCluster) await meet(servers, buses);
    return { urls: servers.map(({ url }) => url), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes one cluster of these servers, each with its part of the slots. */
async function meet(servers: readonly Launched[], buses: readonly number[]): Promise<void> {
  const nodes = servers.map(({ url }) => new Redis(url));
  try {
    for (const [i, node] of nodes.entries()) {
      await node.call('CLUSTER', 'ADDSLOTSRANGE', firstSlotOf(i), firstSlotOf(i + 1) - 1);
    }
    for (const [i, { port }] of servers.entries()) {
      await nodes[0]?.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[i] as number);
    }
    const untilMs = performance.now() + CLUSTER_WAIT_MS;
    while (!(await allAgree(nodes))) {
      if (performance.now() > untilMs) throw new Error('the servers do not become a cluster');
      await sleep(POLL_MS);
    }
  } finally {
    for (const node of nodes) node.disconnect();
  }
}

async function allAgree(nodes: readonly Redis[]): Promise<boolean> {
  const states = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO')));
  const isWhole = (state: unknown): boolean =>
    /cluster_state:ok/.test(String(state)) &&
    String(state).includes(`cluster_known_nodes:${PRIMARIES}`);
  return states.every(isWhole);
}

async function end({ pid, exited }: Launched): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await exited;
}
