/**
 * Installs a package of the distribution. The one step that changes the machine, so it is said.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { whereIs } from './binary.ts';
import type { ServerSettings } from './config.ts';

/**
 * Runs apt-get as root on Debian or Ubuntu. `reasons` gets a sentence when it cannot or may not.
 */
export async function installPackage(
  name: string,
  settings: Pick<ServerSettings, 'path' | 'mayInstall'>,
  log: (line: string) => void,
  reasons: string[],
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
  log(`Installing ${name} with apt-get, as root (LEASEHOLD_INSTALL=0 forbids this) …`);
  const steps = [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', name],
  ];
  for (const step of steps) {
    const fault = await run(aptGet, step);
    if (fault === undefined) continue;
    reasons.push(`apt-get ${step.join(' ')} failed: ${fault}`);
    return false;
  }
  log(`Installed ${name}.`);
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
