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
  // L1: whoever names a cell extends its log: a pod that was frozen past its lease goes on writing.
  // The checks of head, cursors and channel would still refuse it, and the pod would then see from
  // the head that it is not the holder: one fence alone is not enough to take out.
  fence: [
    {
      find: '  if was[1] ~= nonce or was[2] ~= epoch then\n',
      put:
        '  if was[1] ~= nonce or was[2] ~= epoch then\n' +
        "    seq, prev_hash = tonumber(was[3] or '0') + 1, was[4] or ''\n" +
        '    cursors_count, outs_count, out_trim_to = 0, 0, 0\n' +
        '  end\n' +
        '  if false then\n',
      times: 1,
    },
    {
      // Of renewal, and with it of release and handover.
      find: "if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then",
      put: 'if false then',
      times: 3,
    },
  ],
  // L3: every twentieth tick is answered OK and never appended.
  chain: [
    {
      find: "redis.call('XADD', log, seq .. '-0',",
      put:
        'local sometimes = seq % 20 ~= 0 and redis.call or tostring\n' +
        "sometimes('XADD', log, seq .. '-0',",
      times: 1,
    },
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
      throw new LeaseholdError('SETTING_INVALID', `the library has ${found} places, not ${times}`, {
        field: '--break',
        value: `${broken}: ${find}`,
        remedy: 'Bring the list of mutations in known-bad.ts up to the function library.',
      });
    }
    text = text.replaceAll(find, put);
  }
  return text;
}
