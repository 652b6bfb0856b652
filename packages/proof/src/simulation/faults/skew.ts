/**
 * Clocks that are wrong. A process's own never goes back, but may run fast or slow, and jump when
 * its machine was suspended; the store's wall clock may be set either way.
 */
import { family, pick, spread } from '../fault.ts';

/** One percent, as quartz gone bad. */
const RATE_MAX = 0.01;

export const skew = family({
  name: 'skew',
  odds: 0.4,
  draw: (random) => ({ maxStepMs: spread(random, 100, 60_000), back: random.chance(0.5) }),
  arm: ({ trace, world, storeHost, fleet, gateways }, { maxStepMs, back }, random) => {
    const { server } = world;
    let latestMs = 0;
    const rate = (): number => 1 + random.between(-RATE_MAX, RATE_MAX);
    return {
      strike: () => {
        const host = pick(random, [storeHost, ...fleet.hosts, ...gateways.hosts]);
        if (host === undefined) return;
        const stepMs = spread(random, 10, maxStepMs);
        const isBack = host === storeHost && back && random.chance(0.5);
        const aheadMs = host === storeHost ? 0 : stepMs;
        latestMs = Math.max(latestMs, server.nowMs() + aheadMs);
        host.skew(rate(), aheadMs);
        if (host === storeHost) server.stepClock(isBack ? -stepMs : stepMs);
        trace.fault('skew', host.name, `${isBack ? '-' : '+'}${stepMs} ms`);
      },
      heal: () => {
        storeHost.skew(1, 0);
        for (const host of [...fleet.hosts, ...gateways.hosts]) host.skew(1, 0);
        // Who has seen a later time, or had a clock that ran ahead, waits until it comes again: the
        // store's clock is set right, not back.
        server.stepClock(Math.max(0, latestMs - server.nowMs()));
      },
    };
  },
});
