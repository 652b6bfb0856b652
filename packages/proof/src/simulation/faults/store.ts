/** What happens to the store itself: it goes back in time, stands still, or refuses to write. */
import { family, spread } from '../fault.ts';

/** A failover loses less than what a barrier has waited for; without replicas, all since the disk. */
const LOST_MS_MAX = 5_000;

export const rollback = family({
  name: 'rollback',
  odds: 0.4,
  draw: (random) => ({ maxMs: spread(random, 20, LOST_MS_MAX) }),
  arm: ({ time, trace, world }, { maxMs }, random) => {
    let isHealed = false;
    const strike = (): void => {
      const { server, ledger } = world;
      const limitMs = server.replicas > 0 ? server.replicaLagMs * 0.9 : maxMs;
      const ms = random.between(0, limitMs);
      const snapshot = server.snapshot();
      const book = ledger.copy();
      const { runId } = server;
      time.after(ms, () => {
        // Two failovers at once would lose more than replicas allow.
        if (isHealed || server.runId !== runId) return;
        trace.fault('rollback', 'store', `${ms.toFixed(1)} ms lost`);
        server.rollback(snapshot);
        ledger.restore(book);
      });
    };
    const heal = (): void => {
      isHealed = true;
    };
    return { strike, heal };
  },
});

export const stall = family({
  name: 'stall',
  odds: 0.4,
  draw: (random) => ({ maxMs: spread(random, 50, 10_000) }),
  arm: (rig, { maxMs }, random) => ({
    strike: () => {
      const ms = spread(random, 10, maxMs);
      rig.trace.fault('stall', 'store', `${ms} ms`);
      rig.world.server.stall(ms);
      // The store's clock may be slow.
      rig.calmAtMs = Math.max(rig.calmAtMs, rig.time.nowMs + 1.02 * ms);
    },
  }),
});

export const refusal = family({
  name: 'refusal',
  odds: 0.3,
  draw: (random) => ({ maxMs: spread(random, 50, 6_000) }),
  arm: ({ time, trace, world }, { maxMs }, random) => ({
    strike: () => {
      const ms = spread(random, 10, maxMs);
      trace.fault('refusal', 'store', `${ms} ms`);
      world.server.refuseWrites('OOM command not allowed');
      time.after(ms, () => world.server.refuseWrites());
    },
    heal: () => world.server.refuseWrites(),
  }),
});
