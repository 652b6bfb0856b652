/**
 * The lifecycle service: an HTTP API to the entities of all worlds of a registry. It keeps nothing,
 * so any number of replicas serve the same worlds. This file is the wiring and only the wiring. On
 * standard output it says where it listens (`listening`), among the lines of its log.
 */

import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { openHttp, patiently, runService, systemClock } from '@leasehold/service';
import { openRegistry } from '@leasehold/world';
import { Registry } from 'prom-client';
import { loadConfig } from './config.ts';
import { openJobs } from './jobs.ts';
import { registerLifecycleMetrics } from './metrics.ts';
import { PrefabFollowing } from './prefab-following.ts';
import { Prefabs } from './prefabs.ts';
import { answerMalformed, answerUnreadable } from './problems.ts';
import { addRoutes } from './routes.ts';
import { SnapshotDatabase } from './snapshot-database.ts';
import { openSnapshotJobs } from './snapshot-jobs.ts';
import { Worlds } from './worlds.ts';

/** Tools keep some connections each. */
const CLIENTS_MAX = 1_024;
/** Of the biggest body there is, at half a megabyte a second. */
const REQUEST_MS = 60_000;

await runService('lifecycle', async (parts, log) => {
  const config = loadConfig(process.env);
  log.level = config.logLevel;
  if (config.hasParent) parts.endWithInput();
  parts.drainMs = config.drainMs;
  const { redisUrl, library, snapshotsUrl } = config;
  const registry = await patiently(log, () =>
    openRegistry({ ...config, log: (line) => log.info({}, line) }),
  );
  const worlds = parts.use(
    new Worlds({ registry, redisUrl, library, snapshotsUrl, nowMs: systemClock.nowMs }),
  );
  if (config.runsJobs) yieldToTicks();
  const jobsPlace = {
    ...{ redisUrl: config.jobsRedisUrl, prefix: config.jobsPrefix },
    ...{ isWorking: config.runsJobs, lockMs: config.jobsLockMs, log },
  };
  const jobs = parts.use(await openJobs({ ...jobsPlace, worlds }));
  const database = parts.use(new SnapshotDatabase({ url: config.snapshotsUrl, log }));
  const snapshotJobs = parts.use(
    await openSnapshotJobs({ ...jobsPlace, worldsRedisUrl: redisUrl, registry, database }),
  );
  const source = { redisUrl, cache: join(config.home, 'git') };
  const prefabs = new Prefabs(source);
  const pollMs = config.prefabsPollMs;
  const following = parts.use(new PrefabFollowing({ ...source, worlds, log, pollMs }));
  const metrics = new Registry();
  const { observe } = registerLifecycleMetrics(metrics, worlds, jobs);
  const http = parts.use(
    await openHttp({
      port: config.port,
      host: config.host,
      metrics,
      clientsMax: CLIENTS_MAX,
      requestMs: REQUEST_MS,
      ...{ answerMalformed, answerUnreadable },
      ready: async () => {
        await jobs.counts();
        return [];
      },
      routes: async (app) => {
        observe(app);
        const api = { worlds, jobs, database, snapshotJobs, prefabs, following, log };
        await addRoutes(app, api, config);
      },
    }),
  );
  process.stdout.write(`${JSON.stringify({ type: 'listening', url: http.url })}\n`);
  log.info({ url: http.url }, 'ready');
});

/** Jobs compute for long: whoever ticks on this machine comes first. */
function yieldToTicks(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where it may not, snapshots keep to their rate all the same.
  }
}
