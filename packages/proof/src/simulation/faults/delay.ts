/** Calls and replies that come late: by up to half a minute, and so after others sent later. */
import { family, spread } from '../fault.ts';

const LATE_MS_MAX = 30_000;

export const delay = family({
  name: 'delay',
  odds: 0.5,
  draw: (random) => ({
    chance: spread(random, 0.0005, 0.02),
    maxMs: spread(random, 20, LATE_MS_MAX),
  }),
  arm: ({ trace }, { chance, maxMs }, random) => ({
    onCall: ({ host, name }, fate) => {
      if (!random.chance(chance)) return;
      const ms = spread(random, 1, maxMs);
      const isRequest = random.chance(0.5);
      if (isRequest) fate.requestMs += ms;
      else fate.replyMs += ms;
      trace.fault('delay', host.name, `${isRequest ? 'request' : 'reply'} of ${name} by ${ms} ms`);
    },
  }),
});

/** Every call takes a time of its own, so that calls sent together arrive in any order. */
export const reorder = family({
  name: 'reorder',
  odds: 0.5,
  draw: (random) => ({ maxMs: spread(random, 1, 40) }),
  arm: ({ trace }, { maxMs }, random) => ({
    onCall: ({ host }, fate) => {
      fate.requestMs += random.between(0, maxMs);
      fate.replyMs += random.between(0, maxMs);
      trace.fault('reorder', host.name);
    },
  }),
});
