/**
 * What every root script needs before anything is installed: dependencies, Node 24, and children
 * that end when we do. Runs on plain Node 20 with nothing but the standard library.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_MAJOR = 24;
const bin = join(root, 'node_modules', '.bin');

export const say = (line) => process.stderr.write(`${line}\n`);

/** The environment in which the repository's own programs, and its Node, come first. */
export const environment = () => ({
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
});

/**
 * Installs what the lock file says, unless that is what is there; true if it had to. Ends the
 * process if it fails.
 */
export async function ensureInstalled() {
  const why = whyInstall();
  if (why === undefined) return false;
  say(`Installing dependencies (npm ci): ${why}. This takes about a minute …`);
  const startMs = Date.now();
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run('npm', args, { quietStdout: true });
  if (code !== 0) {
    say(
      `npm ci failed with exit code ${code}. Check the network and the lines above, then repeat.`,
    );
    process.exit(code);
  }
  say(`Installed in ${((Date.now() - startMs) / 1000).toFixed(0)} s.`);
  return true;
}

/** Compares the lock file with npm's own record of what it installed. */
function whyInstall() {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (installed === undefined) return 'node_modules is not there';
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/') || entry.optional || entry.devOptional || entry.peer)
      continue;
    if (!existsSync(join(root, path))) return `${path} is not there`;
    if (!entry.link && installed[path]?.version !== entry.version) {
      return `${path} is not ${entry.version}`;
    }
  }
  return undefined;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Node 24: the pinned one, or our own if that is new enough. Ends the process when neither is. */
export function node24() {
  const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  say(`Node ${NODE_MAJOR} is needed: ${pinned} is not there and this is ${process.version}.`);
  say('Its install script may have been skipped: run `npm rebuild node`, or install Node 24.');
  process.exit(1);
}

/**
 * Runs a program to its end and resolves with its exit code. SIGINT and SIGTERM are passed on, and
 * the child decides when to go; we stay until it has. `hear` gets what it says instead of the
 * terminal.
 */
export function run(program, args, { quietStdout = false, env = {}, hear } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...environment(), ...env },
      stdio: stdioOf(quietStdout, hear),
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', hear);
    // A terminal sends Ctrl-C to the whole group; the second delivery is the child's to ignore.
    const pass = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
    const finish = (code) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, pass);
      resolve(code);
    };
    child.on('error', (error) => {
      say(`${program}: ${error.message}`);
      finish(127);
    });
    child.on('close', (code, signal) => finish(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0)));
  });
}

function stdioOf(quietStdout, hear) {
  if (hear !== undefined) return ['ignore', 'pipe', 'pipe'];
  return ['inherit', quietStdout ? 'ignore' : 'inherit', 'inherit'];
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
