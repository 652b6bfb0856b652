/** Runs suites on servers of their own. */

import { Hub } from './hub.ts';
import { inboxSuite } from './inbox-suite.ts';
import { Lane } from './lane.ts';
import { logSuite } from './log-suite.ts';
import { startServers } from './servers.ts';
import { type RunOptions, runSuite, type Suite, type SuiteResult } from './suite.ts';
import { transferSuite } from './transfer-suite.ts';
import { viewSuite } from './view-suite.ts';

export const SUITES: readonly Suite[] = [logSuite, viewSuite, inboxSuite, transferSuite];

/** Side by side on one connection: more of them only make each write longer. */
const LANES = 24;

/** Runs one suite on a server of its own, or on three primaries of a cluster. */
export async function prove(
  suite: Suite,
  options: RunOptions,
  isCluster = false,
): Promise<SuiteResult> {
  const servers = await startServers(isCluster);
  const hub = new Hub(servers.urls);
  try {
    await hub.open();
    const lanes = Array.from(
      { length: Math.min(LANES, options.sequences) },
      // Followers read all their cells at once, which a cluster allows within one slot.
      (_, i) => new Lane(hub, `model_${i}`, suite.cells, isCluster && suite.isFollowing),
    );
    for (const lane of lanes) await lane.open();
    return await runSuite(suite, lanes, options);
  } finally {
    await hub.close();
    await servers.close();
  }
}

/** The result for people: rates, what the commands did, and how to see a finding again. */
export function report(result: SuiteResult): string {
  const { suite, sequences, operations, seconds, tally, finding } = result;
  const rate = (sequences / seconds).toFixed(0);
  const mean = (operations / sequences).toFixed(1);
  const least = tally.shares()[0];
  const share = least === undefined ? '' : `, least effective ${least.op} ${percent(least.share)}`;
  const line = `${suite}: ${sequences} sequences, ${mean} commands each, ${rate}/s${share}`;
  if (finding === undefined) return `${line}: every promise held`;
  const { rule, message, seed, path, commands, after } = finding;
  return [
    line,
    `BROKEN ${rule} in sequence ${after}: ${message}`,
    ...commands.map(([op, a, b]) => `  ${op} ${a} ${b}`),
    `See it again: npm run prove -- --suite ${suite} --seed ${seed} --path ${path}`,
  ].join('\n');
}

const percent = (part: number): string => `${Math.round(part * 100)} %`;
