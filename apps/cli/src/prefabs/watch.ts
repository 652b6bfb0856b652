/** `leasehold prefabs watch`: each new commit is planned as it comes, or applied. */
import { setTimeout as sleep } from 'node:timers/promises';
import { faultReport } from '@leasehold/kernel';
import { PrefabFollower } from '@leasehold/prefabs';
import { openInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { applied, planned } from './act.ts';
import { type OpenPrefabs, type PrefabPlace, withPrefabs } from './open.ts';
import { liveLines, planLines } from './words.ts';

export type WatchFlags = PrefabPlace & {
  readonly isApplying: boolean;
  readonly isLive: boolean;
  /** 0 = until told to stop. */
  readonly seconds: number;
};

export function watch(flags: WatchFlags, output: Output): Promise<number> {
  return withPrefabs(flags, async (open) => {
    const { source, pollMs, prefabs, repository } = open;
    const interrupt = openInterrupt(
      () => undefined,
      () => undefined,
    );
    const end = new AbortController();
    interrupt.signal.addEventListener('abort', () => end.abort());
    const over = flags.seconds > 0 ? untilOver(flags.seconds, end) : undefined;
    output.progress(`looks at ${source.repository}, ${source.ref}, every ${pollMs / 1_000} s`);
    const follower = new PrefabFollower({
      repository,
      pollMs,
      seen: (await prefabs.index())?.versions.at(-1)?.commit ?? '',
      onCommit: (commit) => told(open, commit, flags, output),
      onFault: (error) => {
        const { code, message } = faultReport(error);
        output.jsonLine({ error: faultReport(error) });
        output.warn(`${message} (${code})`);
      },
    });
    try {
      await follower.run(end.signal);
      await over;
      return 0;
    } finally {
      interrupt.close();
    }
  });
}

async function untilOver(seconds: number, end: AbortController): Promise<void> {
  await sleep(seconds * 1_000, undefined, { signal: end.signal }).catch(() => undefined);
  end.abort();
}

async function told(
  open: OpenPrefabs,
  commit: string,
  { isApplying, isLive }: WatchFlags,
  output: Output,
): Promise<void> {
  const next = await open.prefabs.at(commit);
  const found = await planned(open, next, output);
  const live = isApplying ? await applied(open, next, isLive, output) : null;
  output.jsonLine({ ...found, isApplied: isApplying, live });
  output.print(planLines(found, found.descendants, output.colors).join('\n'));
  if (live !== null) output.print(liveLines(live).join('\n'));
}
