/** `leasehold plan history`: what was decided, when and why, and with --follow what is decided now. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalEntry } from '@leasehold/protocol';
import { openInterrupt } from '../interrupt.ts';
import { type OpenWorld, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { ENTRIES_MAX } from './options.ts';
import { NO_PLAN } from './show.ts';
import { entryLine, loadLine } from './words.ts';

export type HistoryOptions = WorldFlags & {
  /** How far back; undefined = the last ones. */
  readonly sinceMs: number | undefined;
  readonly count: number;
  readonly isFollowing: boolean;
};

const FOLLOW_MS = 250;

export function history(options: HistoryOptions, output: Output): Promise<number> {
  return withWorld(options, output, async (open) => {
    const { plans, world, layer } = open;
    const { sinceMs, count } = options;
    const after = sinceMs === undefined ? '' : `${Math.floor(plans.nowMs() - sinceMs)}-0`;
    const all = await plans.journal(after, ENTRIES_MAX);
    const entries = all.slice(-count);
    if (!options.isFollowing) output.json({ world, layer, entries });
    tell(entries, options, output);
    if (options.isFollowing) await follow(open, options, all.at(-1)?.id ?? after, output);
    else if (entries.length === 0) output.print((await plans.plan()) ? 'nothing' : NO_PLAN);
    return 0;
  });
}

function tell(entries: readonly JournalEntry[], { isFollowing }: HistoryOptions, output: Output) {
  for (const entry of entries) {
    if (isFollowing) output.jsonLine(entry);
    output.print(entryLine(entry, output.colors));
    const loads = loadLine(entry);
    if (loads !== undefined) output.print(output.colors.dim(`    ${loads}`));
  }
}

/** Until Ctrl-C, or nobody reads any more. */
async function follow(
  { plans }: OpenWorld,
  options: HistoryOptions,
  afterId: string,
  output: Output,
): Promise<void> {
  const end = new AbortController();
  const gone = (): void => end.abort();
  const interrupt = openInterrupt(gone, () => undefined);
  process.stdout.on('error', gone);
  try {
    for (let after = afterId; !end.signal.aborted; ) {
      // A server that is away for a moment is asked again.
      const entries = await plans.journal(after, ENTRIES_MAX).catch(() => []);
      tell(entries, options, output);
      after = entries.at(-1)?.id ?? after;
      await sleep(FOLLOW_MS, undefined, { signal: end.signal }).catch(() => undefined);
    }
  } finally {
    interrupt.close();
    process.stdout.off('error', gone);
  }
}
