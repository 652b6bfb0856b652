/**
 * Installs a package of the distribution. The one step that changes the machine, so it is said.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { whereIs } from './binary.ts';
import type { ServerSettings } from './config.ts';

type InstallSettings = Pick<ServerSettings, 'path' | 'mayInstall'>;

/**
 * Runs apt-get as root on Debian or Ubuntu. `reasons` gets a sentence when it cannot or may not.
 */
export function installPackage(
  name: string,
  settings: InstallSettings,
  log: (line: string) => void,
  reasons: string[],
): Promise<boolean> {
  return installPackages(name, async () => [name], { settings, log, reasons });
}

export type InstallSurroundings = {
  readonly settings: InstallSettings;
  readonly log: (line: string) => void;
  readonly reasons: string[];
};

/**
 * The same for several at once. `choose` names them once the lists of the distribution are current;
 * none when it has what is wanted in no version.
 */
export async function installPackages(
  what: string,
  choose: () => Promise<readonly string[]>,
  { settings, log, reasons }: InstallSurroundings,
): Promise<boolean> {
  const [aptGet] = whereIs('apt-get', settings.path);
  if (aptGet === undefined || !existsSync('/etc/debian_version')) {
    reasons.push('this is not Debian or Ubuntu, so apt-get cannot install one');
    return false;
  }
  if (process.getuid?.() !== 0) {
    reasons.push('only root may install one with apt-get');
    return false;
  }
  if (!settings.mayInstall) {
    reasons.push('LEASEHOLD_INSTALL=0 forbids installing one');
    return false;
  }
  const apt = async (...step: string[]): Promise<boolean> => {
    const fault = await run(aptGet, step);
    if (fault !== undefined) reasons.push(`apt-get ${step.join(' ')} failed: ${fault}`);
    return fault === undefined;
  };
  log(`Installing ${what} with apt-get, as root (LEASEHOLD_INSTALL=0 forbids this) …`);
  if (!(await apt('update', '-q'))) return false;
  const names = await choose();
  if (names.length === 0) return false;
  if (!(await apt('install', '-y', '-q', '--no-install-recommends', ...names))) return false;
  log(`Installed ${names.join(', ')}.`);
  return true;
}

/** The last line of its complaint, or nothing when it went well. */
function run(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      DEBIAN_FRONTEND: 'noninteractive',
      // Keeps the package from starting a service of its own where a policy honours it.
      RUNLEVEL: '1',
    };
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      complaint = (complaint + text).slice(-2_000);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code) => {
      const last = complaint.trim().split('\n').at(-1);
      resolve(code === 0 ? undefined : last || `exit code ${code}`);
    });
  });
}
