/** Calls that arrive a second time, at once or long after their sender has gone on. */
import { family, spread } from '../fault.ts';

/** What changes something; the others may be asked twice by anybody. */
const WRITES: ReadonlySet<string> = new Set([
  ...['acquire', 'renew', 'commit', 'release', 'handover', 'revoke'],
]);

export const duplicate = family({
  name: 'duplicate',
  odds: 0.4,
  draw: (random) => ({
    chance: spread(random, 0.001, 0.2),
    maxMs: spread(random, 5, 30_000),
  }),
  arm: ({ trace }, { chance, maxMs }, random) => ({
    onCall: ({ host, name }, fate) => {
      if (!WRITES.has(name) || !random.chance(chance)) return;
      fate.againMs = spread(random, 1, maxMs);
      trace.fault('duplicate', host.name, `${name} again after ${fate.againMs} ms`);
    },
  }),
});
