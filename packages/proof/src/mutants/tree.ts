/** A copy of the tree with a bug in it, in which the proof is run. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Mutant, mutated } from './mutant.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');

export type Copy = {
  /** Puts a bug in, and takes it out again behind `work`. */
  with<T>(mutant: Mutant, work: () => Promise<T>): Promise<T>;
  /** Runs `npm run prove` with these arguments; its lines, and its exit code. */
  prove(args: readonly string[]): Promise<{ readonly code: number; readonly lines: string[] }>;
  close(): void;
};

/** Copies what the proof imports; libraries from elsewhere are linked. */
export function copyTree(): Copy {
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-mutant-'));
  const own = (path: string): boolean => basename(path) !== 'node_modules';
  for (const name of ['packages', 'db']) {
    cpSync(join(root, name), join(directory, name), { recursive: true, filter: own });
  }
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  linkLibraries(directory);
  return {
    with: (mutant, work) => withMutant(directory, mutant, work),
    prove: (args) => run(directory, args),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The repository's own packages are those of the copy. */
function linkLibraries(directory: string): void {
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, '@leasehold'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name === '@leasehold' || name.startsWith('.')) continue;
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(directory, 'packages'))) {
    symlinkSync(join(directory, 'packages', name), join(modules, '@leasehold', name));
    const nested = join('packages', name, 'node_modules');
    if (readdirSync(join(root, 'packages', name)).includes('node_modules')) {
      symlinkSync(join(root, nested), join(directory, nested));
    }
  }
}

async function withMutant<T>(
  directory: string,
  mutant: Mutant,
  work: () => Promise<T>,
): Promise<T> {
  const file = join(directory, mutant.file);
  const source = readFileSync(file, 'utf8');
  writeFileSync(file, mutated(mutant, source));
  try {
    return await work();
  } finally {
    writeFileSync(file, source);
  }
}

function run(directory: string, args: readonly string[]): ReturnType<Copy['prove']> {
  const program = join(directory, 'packages', 'proof', 'src', 'prove.ts');
  const child = spawn(process.execPath, [program, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? 1, lines: text.split('\n').filter((line) => line !== '') });
    });
  });
}
