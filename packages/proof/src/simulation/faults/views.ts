/** What happens between gateways and those who look: crashes, broken connections, slow readers. */
import { family, pick, spread } from '../fault.ts';

export const gatewayCrash = family({
  name: 'gatewayCrash',
  odds: 0.4,
  draw: () => ({}),
  arm: ({ trace, gateways }, _none, random) => ({
    strike: () => {
      const host = pick(random, gateways.hosts);
      if (host === undefined) return;
      trace.fault('gateway crash', host.name);
      host.die();
    },
  }),
});

export const readers = family({
  name: 'readers',
  odds: 0.4,
  draw: (random) => ({ maxMs: spread(random, 200, 20_000), cuts: random.float() }),
  arm: ({ time, trace, viewers }, { maxMs, cuts }, random) => ({
    strike: () => {
      const viewer = pick(random, viewers.all);
      if (viewer === undefined) return;
      if (random.chance(cuts)) {
        trace.fault('connection cut', viewer.name);
        viewer.cut();
        return;
      }
      const ms = spread(random, 50, maxMs);
      trace.fault('slow reader', viewer.name, `${ms} ms`);
      viewer.setReading(false);
      time.after(ms, () => viewer.setReading(true));
    },
    heal: () => {
      for (const viewer of viewers.all) viewer.setReading(true);
    },
  }),
});
