/** The pods of a world, as every connection to a `TwinServer` sees them. */
import type { PodRecord } from '@leasehold/protocol';
import type { TwinServer } from './server.ts';

/** A record without a connection is kept for a moment: the pod may be connecting again. */
const RECORD_KEPT_MS = 5_000;

/** Those of a layer, by name; what is left of the gone is dropped. */
export function podsOf(server: TwinServer, world: string, layer: string): PodRecord[] {
  const nowMs = server.nowMs();
  const { pods } = server.world(world);
  for (const record of server.announced(world))
    pods.set(record.pod, { ...record, seenAtMs: nowMs });
  for (const { pod, seenAtMs } of pods.values()) {
    const isThere = server.listeners(world, pod).length > 0;
    if (!isThere && nowMs - seenAtMs > RECORD_KEPT_MS) pods.delete(pod);
  }
  const own = [...pods.values()].filter((record) => record.layer === layer);
  return own.sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

export function connectedOf(
  server: TwinServer,
  world: string,
  pods: readonly string[],
): Set<string> {
  return new Set(pods.filter((pod) => server.listeners(world, pod).length > 0));
}

export function tellPod(server: TwinServer, world: string, pod: string, message: string): void {
  for (const listener of server.listeners(world, pod)) listener.hear?.(message);
}

/** Those of a layer that are announced and connected. */
export function tellLayer(server: TwinServer, world: string, layer: string, message: string): void {
  for (const record of server.announced(world)) {
    if (record.layer === layer) tellPod(server, world, record.pod, message);
  }
}
