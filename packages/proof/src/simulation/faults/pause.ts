/** Processes that stand still for a while and go on as if nothing had been, as after SIGSTOP. */
import { family, pick, spread } from '../fault.ts';

export const pause = family({
  name: 'pause',
  odds: 0.4,
  draw: (random) => ({ maxMs: spread(random, 200, 15_000) }),
  arm: ({ time, trace, fleet, gateways }, { maxMs }, random) => ({
    strike: () => {
      const host = pick(random, [...fleet.hosts, ...gateways.hosts]);
      if (host === undefined || host.isPaused) return;
      const ms = spread(random, 50, maxMs);
      trace.fault('pause', host.name, `${ms} ms`);
      host.pause();
      time.after(ms, () => host.resume());
    },
    heal: () => {
      for (const host of [...fleet.hosts, ...gateways.hosts]) host.resume();
    },
  }),
});
