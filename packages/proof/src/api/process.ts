/** One process of the product, as the proofs start, kill and start it again. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

type Line = Readonly<Record<string, unknown>>;

const START_MS_MAX = 60_000;
const SAID_MAX = 40;

export class Process {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  readonly #faults: string[] = [];
  readonly #watchers = new Set<(line: Line) => void>();

  constructor(main: string, env: Readonly<Record<string, string>>) {
    const options = {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'] satisfies StdioOptions,
    };
    this.#child = spawn(process.execPath, [main], options);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', (text) => this.#hear(text));
    }
  }

  /** What it logged as its own failure. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** The first line to come that fits. Throws with what was said when there is none in time. */
  waitFor(fits: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`not ready; it said:\n${this.#said.join('\n')}`));
      const timer = setTimeout(fail, START_MS_MAX);
      this.#child.once('exit', fail);
      this.#watchers.add((line) => {
        if (!fits(line)) return;
        clearTimeout(timer);
        resolve(line);
      });
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  #hear(text: string): void {
    this.#said.push(text);
    if (this.#said.length > SAID_MAX) this.#said.shift();
    const line = lineOf(text);
    if (line['msg'] === 'a request failed' || Number(line['level']) >= 50) this.#faults.push(text);
    for (const watch of this.#watchers) watch(line);
  }
}

function lineOf(text: string): Line {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Line;
  } catch {
    // Not every line is JSON.
  }
  return { text };
}
