/**
 * The view gateway: follows the cells that its clients look at and serves views of them. It keeps
 * nothing, so any number of gateways serve one world. This file is the wiring and only the wiring;
 * the work is in `@leasehold/view`. On standard output it says where it listens (`listening`) and
 * who is to be killed (`kill`), among the lines of its log.
 */
import { randomBytes } from 'node:crypto';
import { checkName } from '@leasehold/kernel';
import {
  openLivePlanStore,
  openLiveStore,
  readyIncarnation,
  storedSchemas,
} from '@leasehold/live-store';
import { compile } from '@leasehold/sdk/engine';
import { openHttp, patiently, runService, systemClock } from '@leasehold/service';
import { ViewHub } from '@leasehold/view';
import { coldStoreOf, endWhenReplaced, loadWorld, openRegistry } from '@leasehold/world';
import { Registry } from 'prom-client';
import { loadConfig } from './config.ts';
import { registerGatewayMetrics } from './metrics.ts';
import { addRoutes } from './routes.ts';
import { SnapshotSource } from './snapshot-source.ts';
import { ViewConnections } from './view-connections.ts';

/** What closing the rest may take once the clients are gone. */
const CLOSE_MS = 1_000;

await runService('view-gateway', async (parts, log) => {
  const config = loadConfig(process.env);
  log.level = config.logLevel;
  if (config.hasParent) parts.endWithInput();
  parts.drainMs = config.drainMs + CLOSE_MS;
  const { manifest, simulation, grid } = await loadWorld(config.worldFolder);
  const { seed, tickHz, params, layers } = manifest;
  const world = checkName('WORLD', config.world === '' ? manifest.world : config.world);
  const layer = checkName('LAYER', config.layer);
  const name = config.gateway === '' ? `gateway-${randomBytes(4).toString('hex')}` : config.gateway;
  const gateway = checkName('GATEWAY', name);
  const { schema, spatial } = compile(simulation, {
    ...{ layer, grid, seed, tickHz, params, layers },
  });
  const registry = await patiently(log, () =>
    openRegistry({ ...config, log: (line) => log.info({}, line) }),
  );
  const incarnation = await readyIncarnation(registry, world);
  endWhenReplaced(parts, registry, { world, incarnation, hasParent: config.hasParent });
  const at = {
    ...{ url: config.redisUrl, world, incarnation, layer, grid },
    ...(config.library === '' ? {} : { library: config.library }),
  };
  const store = parts.use(
    await openLiveStore({
      ...at,
      ...coldStoreOf({
        ...{ url: config.snapshotsUrl, world, incarnation, layer },
        layers: [layer],
      }),
      graceMs: manifest.lease.graceMs,
      onEvent: (event) => log.warn(event, 'store'),
    }),
  );
  const planStore = parts.use(
    await openLivePlanStore({ ...at, onEvent: (event) => log.warn(event, 'plan store') }),
  );
  const mode = (await store.clock())?.mode ?? manifest.mode;
  const canKill = config.killToken !== '';
  const { snapshotsUrl: url } = config;
  const past =
    url === '' ? undefined : parts.use(new SnapshotSource({ url, world, layer, schema, grid }));
  const hub = new ViewHub({
    ...{ store, planStore, schema, grid, log, clock: systemClock },
    ...(spatial === undefined ? {} : { spatial }),
    ...(past === undefined ? {} : { past }),
    older: await storedSchemas(store, schema),
    isWarm: config.keepWarm,
    facts: { gateway, world, incarnation, layer, tickHz, mode, canKill },
  });
  parts.use({ close: () => hub.stop() });
  hub.start();
  const connections = new ViewConnections((peer) => hub.join(peer), systemClock.nowMs, {
    perAddressMax: config.connectionsPerAddressMax,
    max: config.connectionsMax,
  });
  const metrics = new Registry();
  registerGatewayMetrics(metrics, hub, connections);
  const pods = async (): Promise<string[]> => (await store.pods()).map(({ pod }) => pod);
  const http = parts.use(
    await openHttp({
      port: config.port,
      host: config.host,
      metrics,
      clientsMax: config.connectionsMax,
      ready: () => (hub.isReady ? [] : ['the store does not answer']),
      routes: (app) => addRoutes(app, { config, hub, connections, log, pods }),
    }),
  );
  process.stdout.write(`${JSON.stringify({ type: 'listening', url: http.url })}\n`);
  log.info({ gateway, world, incarnation, layer, url: http.url }, 'ready');
});
