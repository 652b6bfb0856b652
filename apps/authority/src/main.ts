/**
 * The authority: plans which pod should hold which region, and says how many pods are wanted. It
 * keeps nothing that is not in Redis, so any number may run, and one leads. This file is the wiring
 * and only the wiring; the work is in `@leasehold/authority`. On standard output it says where it
 * listens (`listening`), among the lines of its log.
 */
import { randomBytes } from 'node:crypto';
import { Authority } from '@leasehold/authority';
import { checkName, LeaseholdError } from '@leasehold/kernel';
import { type LivePlanStore, openLivePlanStore, readyIncarnation } from '@leasehold/live-store';
import { POLICIES, type Policy } from '@leasehold/plan';
import { openHttp, patiently, runService, systemClock } from '@leasehold/service';
import { endWhenReplaced, homeLayer, loadWorld, openRegistry } from '@leasehold/world';
import { Registry } from 'prom-client';
import { loadConfig } from './config.ts';
import { registerAuthorityMetrics } from './metrics.ts';
import { addRoutes } from './routes.ts';

await runService('authority', async (parts, log) => {
  const config = loadConfig(process.env);
  log.level = config.logLevel;
  if (config.hasParent) parts.endWithInput();
  const { podsMin, podsMax } = config;
  if (podsMin > podsMax) {
    throw new LeaseholdError('SETTING_INVALID', `PODS_MIN: ${podsMin} is more than PODS_MAX`, {
      field: 'PODS_MIN',
      value: String(podsMin),
      remedy: `Use at most ${podsMax}, or raise PODS_MAX.`,
    });
  }
  const loaded = await loadWorld(config.worldFolder);
  const { manifest, grid } = loaded;
  const world = checkName('WORLD', config.world === '' ? manifest.world : config.world);
  const layer = checkName('LAYER', config.layer);
  const named = config.authority === '' ? `authority-${random()}` : config.authority;
  // Of this run: a process that comes back under its old name has to take the lead anew.
  const name = `${checkName('AUTHORITY', named)}-${random()}`;
  const registry = await patiently(log, () =>
    openRegistry({ ...config, log: (line) => log.info({}, line) }),
  );
  const incarnation = await readyIncarnation(registry, world);
  endWhenReplaced(parts, registry, { world, incarnation, hasParent: config.hasParent });
  const open = (of: string) =>
    patiently(log, () =>
      openLivePlanStore({
        url: config.redisUrl,
        ...{ world, incarnation, layer: of, grid },
        ...(config.library === '' ? {} : { library: config.library }),
        onEvent: (event) => log.warn(event, 'store'),
      }),
    );
  const store = parts.use(await open(layer));
  const { tickHz } = manifest;
  const { leadTtlMs, planMs } = config;
  // In lockstep nobody gets ahead of a neighbour, so nobody may sleep, and no time is dilated.
  const isLockstep = manifest.mode === 'lockstep';
  const idleMsGiven = config.idleMs < 0 ? manifest.sleep.idleMs : config.idleMs;
  const idleMs = isLockstep ? 0 : idleMsGiven;
  const sleepsStill = manifest.sleep.when === 'still';
  const plan = {
    ...{ spare: config.sparePercent / 100, fallMs: config.podsFallMs },
    ...(isLockstep ? { dilationMax: 1 } : {}),
  };
  const policy = POLICIES.get(config.policy) as Policy;
  const layers: LivePlanStore[] = [];
  const home = homeLayer(loaded);
  const isHome = layer === home;
  const besides = isHome ? Object.keys(manifest.layers).filter((of) => of !== home) : [home];
  if (idleMs > 0) for (const of of besides) layers.push(parts.use(await open(of)));
  const authority = new Authority({
    ...{ name, store, grid, tickHz, policy, log, clock: systemClock },
    ...(isHome ? { others: layers } : layers[0] && { home: layers[0] }),
    settings: { leadTtlMs, planMs, idleMs, sleepsStill, podsMin, podsMax, plan },
  });
  const metrics = new Registry();
  registerAuthorityMetrics(metrics, authority, { world, layer });
  const http = parts.use(
    await openHttp({
      ...{ port: config.port, host: config.host, metrics },
      ready: () => (authority.status.leader === '' ? ['nobody leads, as far as is known'] : []),
      routes: (app) => addRoutes(app, { store, authority }),
    }),
  );
  parts.use({ close: () => authority.stop() });
  authority.start();
  process.stdout.write(`${JSON.stringify({ type: 'listening', url: http.url })}\n`);
  log.info({ name, world, incarnation, layer, url: http.url }, 'ready');
});

function random(): string {
  return randomBytes(4).toString('hex');
}
