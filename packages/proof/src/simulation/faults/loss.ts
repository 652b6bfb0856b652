/** Calls that never arrive, and calls that are done and whose reply never comes. */
import { family, spread } from '../fault.ts';

export const loss = family({
  name: 'loss',
  odds: 0.5,
  draw: (random) => ({
    requests: random.chance(0.3) ? 0 : spread(random, 0.0002, 0.01),
    replies: random.chance(0.3) ? 0 : spread(random, 0.0002, 0.01),
  }),
  arm: ({ trace }, { requests, replies }, random) => ({
    onCall: ({ host, name }, fate) => {
      if (random.chance(requests)) {
        fate.isRequestLost = true;
        trace.fault('request lost', host.name, name);
      }
      if (random.chance(replies)) {
        fate.isReplyLost = true;
        trace.fault('reply lost', host.name, name);
      }
    },
  }),
});
