/** Always the same calls; `npm run simulate -- --traces N` plays more. */
import { expect, test } from 'vitest';
import { duel } from './duel.ts';

const CALLS = 20_000;
/** Answers that must have been given, or the traces have not been everywhere. */
const ANSWERS = [
  ...['acquire GRANTED', 'acquire HELD', 'acquire SUSPECT', 'acquire RESERVED', 'acquire BADARG'],
  ...['commit OK', 'commit ALREADY', 'commit FENCED', 'commit HEAD', 'commit BADCURSOR'],
  ...['commit BADARG', 'renew OK', 'renew FENCED', 'release OK', 'release FENCED', 'handover OK'],
  ...['handover FENCED', 'revoke OK', 'revoke FENCED', 'post OK', 'post BADARG'],
];

test('L1 L2 L3 L4 L5 the twin answers every call as the real server does', async () => {
  const { differences, calls, answers } = await duel({ calls: CALLS });
  expect(differences).toEqual([]);
  expect(calls).toBeGreaterThanOrEqual(CALLS);
  expect(ANSWERS.filter((answer) => (answers[answer] ?? 0) < 20)).toEqual([]);
  expect(answers['heads BADARG']).toBeGreaterThan(0);
}, 120_000);

test.each([
  ...['no-fence', 'no-head', 'lost-cursor', 'trim-unread', 'no-chain', 'one-strike', 'low-epoch'],
] as const)('a twin with %s is told from the real server', async (defect) => {
  const { differences } = await duel({ calls: CALLS, defects: [defect] });
  expect(differences).not.toEqual([]);
});
