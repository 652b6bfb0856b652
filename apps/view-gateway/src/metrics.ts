/** What a gateway reports of itself, under the names that Prometheus scrapes. */
import type { ViewHub } from '@leasehold/view';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ViewConnections } from './view-connections.ts';

type Figure = readonly [name: string, help: string, value: () => number];

/** Registers every figure; they are read whenever somebody scrapes. */
export function registerGatewayMetrics(
  registry: Registry,
  hub: ViewHub,
  connections: ViewConnections,
): void {
  const { world, layer, gateway } = hub.facts;
  registry.setDefaultLabels({ world, layer, gateway });
  for (const [name, help, value] of gaugesOf(hub, connections)) {
    const gauge: Gauge = new Gauge({
      ...{ name: `leasehold_gateway_${name}`, help, registers: [registry] },
      collect: () => gauge.set(value()),
    });
  }
  for (const [name, help, value] of countersOf(hub)) {
    const counter: Counter = new Counter({
      ...{ name: `leasehold_gateway_${name}_total`, help, registers: [registry] },
      collect: () => {
        counter.reset();
        counter.inc(value());
      },
    });
  }
  const dropped: Counter<'code'> = new Counter({
    name: 'leasehold_gateway_clients_dropped_total',
    help: 'Connections that the gateway ended, by the name of the code.',
    labelNames: ['code'],
    registers: [registry],
    collect: () => {
      dropped.reset();
      for (const [code, count] of connections.ended) dropped.inc({ code }, count);
    },
  });
}

function gaugesOf(hub: ViewHub, connections: ViewConnections): readonly Figure[] {
  const subscriptions = (): number => {
    let count = 0;
    for (const viewer of hub.viewers) count += viewer.subscriptions.size;
    return count;
  };
  return [
    ['clients', 'View clients that are connected.', () => connections.count],
    ['subscriptions', 'Subscriptions of all clients.', subscriptions],
    ['cells_followed', 'Cells that are followed for clients.', () => hub.following.cells.size],
    ['cells_slowed', 'Cells whose views the plan slows.', () => hub.following.slow.size],
    [
      'snapshots_open',
      'Snapshots in memory, those that nobody looks at any more among them.',
      () => hub.past.held.open,
    ],
    ['snapshots_used', 'Snapshots that somebody looks at.', () => hub.past.held.used],
    ['snapshot_bytes', 'What the rows of open snapshots take.', () => hub.past.held.bytes],
    ['queue_bytes', 'Bytes that wait for clients to read them.', () => connections.queuedBytes],
  ];
}

function countersOf({ counts, following: { slow } }: ViewHub): readonly Figure[] {
  return [
    ['rounds', 'Rounds in which something new was told.', () => counts.rounds],
    ['frames', 'Frames sent.', () => counts.frames],
    ['bytes', 'Bytes of frames sent.', () => counts.bytes],
    ['updates', 'Updates of entities sent.', () => counts.updates],
    ['coalesced', 'Rounds that a slow client was not told of.', () => counts.coalesced],
    [
      'slowed',
      'Commits of slowed cells that were told together with a later one.',
      () => slow.coalesced,
    ],
    ['resyncs', 'Cells whose state was sent anew.', () => counts.resyncs],
    ['poll_seconds', 'Time spent waiting for news of the store.', () => counts.pollMs / 1_000],
    ['apply_seconds', 'Time spent applying and publishing news.', () => counts.applyMs / 1_000],
    ['encode_seconds', 'Time spent encoding and sending.', () => counts.sendMs / 1_000],
  ];
}
