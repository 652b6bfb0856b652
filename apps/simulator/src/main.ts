/**
 * The simulator: one pod. It leases cells of a world, ticks them, writes them back, and may die at
 * any moment. This file is the wiring and only the wiring; the work is in `@leasehold/pod`.
 */
import { randomBytes } from 'node:crypto';
import { checkName } from '@leasehold/kernel';
import { openLiveStore, readyIncarnation } from '@leasehold/live-store';
import { Pod, type PodSettings } from '@leasehold/pod';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { openHttp, patiently, runService, systemClock } from '@leasehold/service';
import {
  coldStoreOf,
  endWhenReplaced,
  loadWorld,
  type Manifest,
  moduleMark,
  moduleVersion,
  openRegistry,
} from '@leasehold/world';
import { Registry } from 'prom-client';
import { type Config, loadConfig } from './config.ts';
import { processFigures } from './figures.ts';
import { registerPodMetrics } from './metrics.ts';
import { openSchemas } from './stored-schema.ts';

/** What closing the rest may take once the cells are gone. */
const CLOSE_MS = 3_000;

await runService('simulator', async (parts, log) => {
  const config = loadConfig(process.env);
  log.level = config.logLevel;
  if (config.hasParent) parts.endWithInput();
  parts.drainMs = config.drainMs + CLOSE_MS;
  const loaded = await loadWorld(config.worldFolder);
  const { manifest, simulation, grid, folder } = loaded;
  const module = moduleMark(await moduleVersion(loaded), loaded.manifest);
  const world = checkName('WORLD', config.world === '' ? manifest.world : config.world);
  const layer = checkName('LAYER', config.layer);
  const pod = checkName('POD', config.pod === '' ? `pod-${randomHex()}` : config.pod);
  const engine = compile(simulation, {
    layer,
    grid,
    seed: config.seed === -1 ? manifest.seed : config.seed,
    tickHz: manifest.tickHz,
    params: manifest.params,
    layers: manifest.layers,
    time: () => performance.now(),
  });
  const registry = await patiently(log, () =>
    openRegistry({ ...config, log: (line) => log.info({}, line) }),
  );
  const incarnation = await readyIncarnation(registry, world);
  endWhenReplaced(parts, registry, { world, incarnation, hasParent: config.hasParent });
  const at = { url: config.snapshotsUrl, world, incarnation, layer, layers: engine.layers };
  const store = parts.use(
    await patiently(log, () =>
      openLiveStore({
        ...{ ...at, url: config.redisUrl },
        grid,
        graceMs: manifest.lease.graceMs,
        ...coldStoreOf({
          ...{ ...at, isCurrent: true },
          onDropFault: (err) => log.debug({ err }, 'what sleeps of earlier incarnations stays'),
        }),
        logEntriesMin: config.logEntriesMin,
        ...(config.library === '' ? {} : { library: config.library }),
        onEvent: (event) => log.warn(event, 'store'),
      }),
    ),
  );
  const schemaOf = await openSchemas(registry, store, engine.schema, log);
  const runner = new Pod({
    ...{ pod, pid: process.pid, store, engine },
    clock: systemClock,
    log,
    settings: settingsOf(config, manifest, engine),
    randomHex,
    schemaOf,
    cpuMs,
    figures: () => ({ ...store.traffic(), ...processFigures(engine), module }),
    ...(config.snapshotsUrl === '' ? {} : { cool: (cells) => store.cool(cells) }),
    onDrainOrder: () => parts.end('told to drain'),
  });
  const metrics = new Registry();
  registerPodMetrics(metrics, () => runner.report(), { world, layer, pod });
  const http = parts.use(
    await openHttp({
      port: config.port,
      host: config.host,
      metrics,
      ready: () => (runner.isReady ? [] : ['the store does not answer']),
    }),
  );
  parts.use({
    close: async () => {
      const isDrained = await runner.drain(config.drainMs);
      await runner.stop();
      if (!isDrained) log.warn({ pod }, 'left with leases held: they end by themselves');
    },
  });
  await patiently(log, () => runner.start());
  log.info({ pod, world, incarnation, layer, folder, url: http.url }, 'ready');
});

function settingsOf(
  config: Config,
  manifest: Manifest,
  { layer, home, grid }: Engine,
): PodSettings {
  const idleMs = config.idleMs < 0 ? manifest.sleep.idleMs : config.idleMs;
  return {
    leaseTtlMs: config.leaseTtlMs === 0 ? manifest.lease.ttlMs : config.leaseTtlMs,
    blocksMax: config.blocksMax === 0 ? grid.blocks : config.blocksMax,
    // Of each entity once, by the layer that says where it is.
    indexResolution: layer === home ? manifest.index.resolution : 0,
    startingPods: config.startingPods,
    isStandby: config.isStandby,
    ...(manifest.sleep.when === 'still' ? { stillMs: idleMs } : {}),
  };
}

/** Of this thread. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function randomHex(): string {
  return randomBytes(8).toString('hex');
}
