/** Ways between one process and the store that are closed for a while: there, back, or both. */

import { family, pick, spread } from '../fault.ts';
import type { Host } from '../host.ts';

export const partition = family({
  name: 'partition',
  odds: 0.5,
  draw: (random) => ({ maxMs: spread(random, 300, 20_000), cut: random.float() }),
  arm: ({ time, trace, world, ways, fleet, gateways }, { maxMs, cut }, random) => {
    const mend = (host: Host): void => {
      if (!ways.has(host)) return;
      ways.delete(host);
      if (!host.isDead) world.server.reconnect(host.name);
    };
    return {
      onCall: ({ host, name }, fate) => {
        const way = ways.get(host);
        if (way === undefined) return;
        if (way.request) fate.isRequestLost = true;
        if (way.reply) fate.isReplyLost = true;
        trace.fault('call into a partition', host.name, name);
      },
      strike: () => {
        const host = pick(random, [...fleet.hosts, ...gateways.hosts]);
        if (host === undefined || ways.has(host)) return;
        const ms = spread(random, 100, maxMs);
        const kind = pick(random, ['request', 'reply', 'both']);
        const [request, reply] = [kind !== 'reply', kind !== 'request'];
        ways.set(host, { request, reply, sinceMs: time.nowMs });
        // Either somebody told the server that the connection is gone, or it waits.
        const isCut = random.chance(cut);
        if (isCut) world.server.disconnect(host.name);
        trace.fault('partition', host.name, `${kind} ${ms} ms${isCut ? ', cut' : ''}`);
        time.after(ms, () => mend(host));
      },
      heal: () => {
        for (const host of [...ways.keys()]) mend(host);
      },
    };
  },
});
