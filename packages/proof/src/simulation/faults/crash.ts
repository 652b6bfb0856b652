/**
 * Processes that die: at a call, before it is sent or when it has taken effect and the answer is
 * still on its way, or at any other moment. Some machines die without closing a connection.
 */
import { family, pick, spread } from '../fault.ts';

export const crash = family({
  name: 'crash',
  odds: 0.6,
  draw: (random) => ({
    atCalls: random.chance(0.4) ? 0 : spread(random, 0.0001, 0.002),
    silent: random.chance(0.5) ? 0 : random.float(),
  }),
  arm: ({ trace, fleet }, { atCalls, silent }, random) => ({
    onCall: ({ host, name }, fate) => {
      if (!fleet.pods.has(host.name) || !random.chance(atCalls)) return;
      fate.crash = random.chance(0.5) ? 'before' : 'after';
      trace.fault('crash at a call', host.name, `${fate.crash} ${name}`);
    },
    strike: () => {
      const name = pick(random, [...fleet.pods.keys()]);
      if (name === undefined) return;
      const isSilent = random.chance(silent);
      trace.fault(isSilent ? 'power loss' : 'kill', name);
      fleet.kill(name, isSilent);
    },
  }),
});

/** Pods that are told to leave, as in a rolling upgrade; another one comes for each. */
export const drain = family({
  name: 'drain',
  odds: 0.3,
  draw: () => ({}),
  arm: ({ trace, fleet }, _none, random) => ({
    strike: () => {
      const name = pick(random, [...fleet.pods.keys()]);
      if (name === undefined) return;
      trace.fault('drain', name);
      fleet.drain(name);
    },
  }),
});
