/** The command as a user starts it, in a home of its own, for tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Spawned, spawnNode } from '@leasehold/testkit';
import type { Report } from './report.ts';

const SIMULATOR = fileURLToPath(new URL('../../simulator/src/main.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../bin/leasehold.js', import.meta.url));
export const FLOCKING = fileURLToPath(new URL('../../../examples/flocking', import.meta.url));
export const FLIGHTS = fileURLToPath(new URL('../../../examples/flights', import.meta.url));

export type Fault = {
  readonly code: string;
  readonly message: string;
  readonly field: string;
  readonly value: string;
  readonly remedy: string;
};

export type Env = Readonly<Record<string, string>>;

/** One user: a home, a Redis, and the command. */
export class User {
  readonly home: string;
  readonly #env: Env;

  private constructor(home: string, env: Env) {
    this.home = home;
    this.#env = { LEASEHOLD_HOME: home, DATABASE_URL: '', ...env };
  }

  static async open(env: Env): Promise<User> {
    return new User(await mkdtemp(join(tmpdir(), 'leasehold-user-')), env);
  }

  leasehold(args: readonly string[], env: Env = {}): Spawned {
    return spawnNode([BIN, ...args], { env: { ...this.#env, ...env } });
  }

  /** A pod of its own, as an operator starts it. */
  pod(env: Env): Spawned {
    return spawnNode([SIMULATOR], { env: { ...this.#env, ...env } });
  }

  /** Runs a command to its end with `--json`; `report` is what it said, `fault` why it refused. */
  async json(args: readonly string[], env: Env = {}) {
    return this.ended(this.leasehold([...args, '--json'], env));
  }

  async ended(process: Spawned) {
    const { code } = await process.exited;
    const { stdout, stderr } = process;
    if (!stdout.startsWith('{')) throw new Error(`exit code ${code}: ${stdout}\n${stderr}`);
    const said = JSON.parse(stdout) as Report & { readonly error: Fault };
    return { code, report: said as Report, fault: said.error, stderr };
  }

  /** Writes files into a folder below the home and returns it. */
  async folder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(this.home, `${name}-`));
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    return folder;
  }

  async close(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}
