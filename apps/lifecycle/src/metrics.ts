/** What the service reports of itself, under the names that Prometheus scrapes. */
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Jobs } from './jobs.ts';
import type { Worlds } from './worlds.ts';

/** From an answer out of one cell to one that waited for a pod. */
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Registers every figure; `observe` is to be added to the server before its routes. */
export function registerLifecycleMetrics(
  registry: Registry,
  worlds: Worlds,
  jobs: Jobs,
): { observe(app: FastifyInstance): void } {
  const requests = new Counter({
    name: 'leasehold_lifecycle_requests_total',
    help: 'Requests answered, by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'leasehold_lifecycle_request_seconds',
    help: 'Time from a request to its answer, by route.',
    labelNames: ['method', 'route'] as const,
    buckets: SECONDS,
    registers: [registry],
  });
  const open: Gauge = new Gauge({
    name: 'leasehold_lifecycle_worlds',
    help: 'Worlds that are open here.',
    registers: [registry],
    collect: () => open.set(worlds.openCount),
  });
  const waiting: Gauge<'state'> = new Gauge({
    name: 'leasehold_lifecycle_jobs',
    help: 'Jobs of all replicas that wait or are worked on.',
    labelNames: ['state'] as const,
    registers: [registry],
    collect: async () => {
      const counts = await jobs.counts().catch(() => undefined);
      if (counts === undefined) return;
      waiting.set({ state: 'waiting' }, counts.waiting);
      waiting.set({ state: 'active' }, counts.active);
    },
  });
  return {
    observe(app) {
      app.addHook('onResponse', async (request, reply) => {
        const { method } = request;
        const route = request.routeOptions.url ?? 'none';
        requests.inc({ method, route, status: String(reply.statusCode) });
        seconds.observe({ method, route }, reply.elapsedTime / 1_000);
      });
    },
  };
}
