/**
 * What a world promises, and which settings of the server keep or void it. Each sentence is a
 * heading of docs/guarantees.md, which says what a crash costs and how it is proven.
 */
import type { PreflightReport, ServerFacts } from './preflight.ts';

export type ServerPromise = {
  readonly promise: string;
  readonly holds: boolean;
  /** The setting that keeps it, or what is missing and the command that mends it. */
  readonly why: string;
};

/** A hiccup of a minute at 1 MB/s of commits; with less a replica must copy everything anew. */
const BACKLOG_BYTES_MIN = 64 * 1024 * 1024;

export function judged(facts: ServerFacts): {
  readonly persistence: PreflightReport['persistence'];
  readonly promises: readonly ServerPromise[];
} {
  const persistence = persistenceOf(facts);
  const replicas = Number(facts.info.get('connected_slaves') ?? 0);
  const promises = [
    restart(persistence),
    power(persistence),
    failover(replicas),
    partition(facts, replicas),
    reconnect(facts, replicas),
    readers(facts),
    memory(facts),
  ];
  return { persistence, promises };
}

function persistenceOf({ info, settings }: ServerFacts): PreflightReport['persistence'] {
  const isAppending = settings.get('appendonly') ?? info.get('aof_enabled') ?? '';
  if (isAppending === 'yes' || isAppending === '1') {
    const fsync = settings.get('appendfsync');
    if (fsync === 'always' || fsync === 'everysec' || fsync === 'no') return `aof-${fsync}`;
    return 'unknown';
  }
  const save = settings.get('save');
  if (save === undefined) return 'unknown';
  return save === '' ? 'none' : 'rdb';
}

function restart(persistence: PreflightReport['persistence']): ServerPromise {
  const promise = 'a restart of Redis keeps the world';
  const why: Record<PreflightReport['persistence'], string> = {
    none: 'nothing is written to disk; CONFIG SET appendonly yes',
    rdb: 'only snapshots are written, the last minutes are lost; CONFIG SET appendonly yes',
    unknown: 'the server does not tell its persistence; it should have appendonly yes',
    'aof-no': 'appendonly yes',
    'aof-everysec': 'appendonly yes',
    'aof-always': 'appendonly yes',
  };
  return { promise, holds: persistence.startsWith('aof'), why: why[persistence] };
}

function power(persistence: PreflightReport['persistence']): ServerPromise {
  const promise = 'a power failure keeps every committed tick';
  if (persistence === 'aof-always') return { promise, holds: true, why: 'appendfsync always' };
  const why =
    persistence === 'aof-everysec'
      ? 'appendfsync everysec may lose the last second; CONFIG SET appendfsync always'
      : 'commits are not flushed; CONFIG SET appendonly yes and CONFIG SET appendfsync everysec';
  return { promise, holds: false, why };
}

function failover(replicas: number): ServerPromise {
  const promise = 'the loss of the Redis machine keeps the world';
  return replicas > 0
    ? { promise, holds: true, why: `${replicas} replica${replicas > 1 ? 's' : ''} connected` }
    : { promise, holds: false, why: 'no replica is connected; on another machine run REPLICAOF' };
}

function partition({ settings }: ServerFacts, replicas: number): ServerPromise {
  const promise = 'a primary cut off from its replicas stops taking commits';
  const needed = settings.get('min-replicas-to-write') ?? settings.get('min-slaves-to-write');
  const holds = replicas > 0 && Number(needed ?? 0) > 0;
  if (holds) return { promise, holds, why: `min-replicas-to-write ${needed}` };
  const why =
    replicas === 0
      ? 'there are no replicas'
      : 'CONFIG SET min-replicas-to-write 1 and CONFIG SET min-replicas-max-lag 3';
  return { promise, holds, why };
}

function reconnect({ settings }: ServerFacts, replicas: number): ServerPromise {
  const promise = 'a replica that was away briefly catches up without a full copy';
  const bytes = settings.get('repl-backlog-size');
  if (replicas === 0) return { promise, holds: true, why: 'there are no replicas' };
  const holds = Number(bytes ?? 0) >= BACKLOG_BYTES_MIN;
  const why = `repl-backlog-size is ${bytes ?? 'unknown'}`;
  return { promise, holds, why: holds ? why : `${why}; CONFIG SET repl-backlog-size 256mb` };
}

function readers({ settings }: ServerFacts): ServerPromise {
  const promise = 'a slow reader cannot fill the memory of Redis';
  const limits = settings.get('client-output-buffer-limit') ?? '';
  const hard = /normal (\d+)/.exec(limits)?.[1] ?? '0';
  const holds = hard !== '0';
  const why = holds
    ? `client-output-buffer-limit normal ${hard}`
    : 'CONFIG SET client-output-buffer-limit "normal 32mb 16mb 10"';
  return { promise, holds, why };
}

function memory({ info, settings }: ServerFacts): ServerPromise {
  const promise = 'a full memory refuses commits cleanly instead of ending Redis';
  const bytes = settings.get('maxmemory') ?? info.get('maxmemory') ?? '0';
  const holds = bytes !== '0';
  const why = holds
    ? `maxmemory ${bytes}`
    : 'maxmemory is 0; CONFIG SET maxmemory to 60 % of the machine';
  return { promise, holds, why };
}
