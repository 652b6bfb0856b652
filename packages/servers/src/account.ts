/**
 * PostgreSQL refuses to run as root. Where we are root, its programs run under an account that may
 * do nothing else, and its data is that account's.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { LeaseholdError } from '@leasehold/kernel';

/** The best first: Debian's package makes the one, every system has the other. */
const NAMES = ['postgres', 'nobody'];

/** Options of `spawn`; empty for one's own account. */
export type Account = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** Under which account PostgreSQL's programs run. */
export function postgresAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of NAMES) {
    const [, , uid, gid] = accounts.find(([other]) => other === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new LeaseholdError('SERVER_MISSING', 'PostgreSQL does not run as root', {
    field: 'DATABASE_URL',
    value: '',
    remedy: `Add an account ${NAMES.join(' or ')}, run as another user, or set DATABASE_URL.`,
  });
}

/** Throws `SETTING_INVALID` when the account cannot reach the folder through those above it. */
export async function checkReach(directory: string, account: Account): Promise<void> {
  try {
    await promisify(execFile)('/bin/ls', ['-d', `${directory}/.`], { ...account, cwd: '/' });
  } catch (error) {
    const message = `PostgreSQL runs under user ${account.uid} here, which cannot enter ${directory}`;
    throw new LeaseholdError(
      'SETTING_INVALID',
      message,
      {
        field: 'LEASEHOLD_HOME',
        value: directory,
        remedy: 'Set LEASEHOLD_HOME to a folder that all may enter, or chmod o+x those above it.',
      },
      { cause: error },
    );
  }
}
