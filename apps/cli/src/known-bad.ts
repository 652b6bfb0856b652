/**
 * Builds that are broken on purpose, to see the auditor find them. Each is the product's own
 * function library with one check or one write taken out, loaded under another name, so that it can
 * never be called by accident.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { librarySource } from '@leasehold/live-store';
import type { Break } from './options.ts';

type Mutation = { readonly find: string; readonly put: string; readonly times: number };

const MUTATIONS: Readonly<Record<Break, readonly Mutation[]>> = {
  // L1: whoever names a cell may write it: a pod that was frozen past its lease goes on writing.
  fence: [
    { find: 'if was[1] ~= nonce or was[2] ~= epoch then', put: 'if false then', times: 1 },
    {
      find: "if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then",
      put: 'if false then',
      times: 1,
    },
  ],
  // L3: every fiftieth tick is answered OK and never appended.
  chain: [
    {
      find: "redis.call('XADD', log, seq .. '-0',",
      put: "if seq % 50 ~= 0 then redis.call('XADD', log, seq .. '-0',",
      times: 1,
    },
    { find: "'b', body)\n", put: "'b', body) end\n", times: 1 },
  ],
  // E1: what was consumed is not remembered with the tick that consumed it.
  channel: [
    {
      find: 'local moved, cursor_fault = moved_cursors(meta, cursors, cursors_count)',
      put: 'local moved, cursor_fault = {}, nil',
      times: 1,
    },
  ],
};

export const brokenLibraryName = (broken: Break): string => `leasehold_broken_${broken}`;

/** The source of a known-bad library. Throws when the product's has no such place any more. */
export function brokenLibrarySource(
  broken: Break,
  source = librarySource(brokenLibraryName(broken)),
): string {
  let text = source;
  for (const { find, put, times } of MUTATIONS[broken]) {
    const found = text.split(find).length - 1;
    if (found !== times) {
      throw new LeaseholdError('SETTING_INVALID', `the library has ${found} places to break`, {
        field: '--break',
        value: `${broken}: ${find}`,
        remedy: 'Bring the list of mutations in known-bad.ts up to the function library.',
      });
    }
    text = text.replace(find, put);
  }
  return text;
}
