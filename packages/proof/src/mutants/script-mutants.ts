/** Bugs of the TypeScript: readers, barriers, healing. */
import type { Edit, Mutant } from './mutant.ts';

const ts = (name: string, file: string, edits: readonly Edit[], suite: string): Mutant => ({
  name,
  file: `packages/${file}.ts`,
  edits,
  suites: [suite, ...['views', 'transfer', 'inbox', 'log'].filter((other) => other !== suite)],
});

const BARRIER = 'await store.barrier();';

export const SCRIPT_MUTANTS: readonly Mutant[] = [
  // Readers.
  ts(
    'reader-ignores-hash',
    'live-store/src/chain',
    [{ find: ' || entry.prevHash !== hash || !isSound(entry)', put: '' }],
    'views',
  ),
  ts(
    'reader-never-compares',
    'live-store/src/follower',
    [{ find: 'const isBack = head !== undefined && ', put: 'const isBack = head === null && ' }],
    'views',
  ),
  ts(
    'reader-head-hash',
    'live-store/src/follower',
    [{ find: 'if (headSeq === mine.seq &&', put: 'if (headSeq < 0 &&' }],
    'views',
  ),
  ts(
    'reader-stops-short',
    'live-store/src/follower',
    [
      {
        find: 'isShort(each, each.out.length >= ENTRIES_PER_READ_MAX)',
        put: 'isShort(each, false)',
      },
    ],
    'views',
  ),
  ts(
    'load-other-checkpoint',
    'live-store/src/loader',
    [{ find: 'slot === 1 ? keys.ckpt1 : keys.ckpt0', put: 'slot === 0 ? keys.ckpt1 : keys.ckpt0' }],
    'views',
  ),
  // Barriers.
  ts(
    'read-ungated',
    'live-store/src/follower',
    [
      { find: 'replicas === 0', put: 'replicas >= 0', times: 2 },
      { find: 'if (reached < replicas) {', put: 'if (replicas < 0) {' },
    ],
    'transfer',
  ),
  ts(
    'barrier-unheeded',
    'live-store/src/follower',
    [{ find: 'if (reached < replicas) {', put: 'if (replicas < 0) {' }],
    'views',
  ),
  ts(
    'trim-ungated',
    'pod/src/keeper',
    [{ find: `    ${BARRIER}\n    if (store.status().runId !== runId) return;\n`, put: '' }],
    'transfer',
  ),
  // Healing.
  ts(
    'heal-in-any-order',
    'pod/src/committer',
    [
      {
        find: 'return holdings.filter(({ replay }) => replay[0]?.sentMs === firstMs);',
        put: 'return holdings.filter(isSending);',
      },
    ],
    'transfer',
  ),
  ts(
    'heal-beside-a-loss',
    'pod/src/committer',
    [
      { find: 'this.#taken.count++;', put: '' },
      { find: 'this.#events.unhealed();', put: 'void 0;', times: 4 },
    ],
    'transfer',
  ),
  ts(
    'new-run-unnoticed',
    'pod/src/rounds',
    [{ find: 'if (this.#round.committer.isNewRun) await this.meetRun();', put: '' }],
    'transfer',
  ),
  ts(
    'run-met-without-look',
    'pod/src/committer',
    [{ find: ') this.#heal(holding, head.seq, head.hash);', put: ');' }],
    'transfer',
  ),
  // Transfer.
  ts(
    'arrival-queued-twice',
    'pod/src/holding',
    [{ find: 'if (entry.seq <= (this.queued.get(entry.from) ?? 0)) return;', put: '' }],
    'transfer',
  ),
  ts(
    'unknown-is-done',
    'pod/src/committer',
    [
      {
        find: 'this.counts.unknown++;\n        return false;',
        put: 'this.counts.unknown++;\n        this.#settle(holding, sentMs);\n        return true;',
      },
    ],
    'transfer',
  ),
  ts(
    'former-channel-unread',
    'pod/src/loader',
    [
      {
        find: 'if (sources.cellFor(entry) === cell) holding.queue(',
        put: 'if (entry.to < 0) holding.queue(',
      },
    ],
    'transfer',
  ),
];
