/** A process of a benchmark's own that speaks JSON lines; it ends with the benchmark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Line = Readonly<Record<string, unknown>>;

/** As Linux counts processor time, whatever the machine. */
const TICKS_PER_S = 100;
/** Processes start by the dozen; what they run is compiled once. */
const COMPILE_CACHE = join(tmpdir(), 'leasehold-bench-compiled');

export class Child {
  readonly #process: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #hearers = new Set<() => void>();
  #stderr = '';
  #isGone = false;

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      // Its input ends with this process, and it leaves then.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000);
    });
    createInterface({ input: child.stdout }).on('line', (text) => {
      if (text.startsWith('{')) this.#lines.push(JSON.parse(text));
      this.#wake();
    });
    child.on('close', () => {
      this.#isGone = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const hear of this.#hearers) hear();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  say(line: unknown): void {
    this.#process.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Takes the first line that fits; rejects when the process ends without one. */
  async take(fits: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const at = this.#lines.findIndex(fits);
      if (at >= 0) return this.#lines.splice(at, 1)[0] as Line;
      if (this.#isGone) throw new Error(`a process ended too early: ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        const hear = (): void => {
          this.#hearers.delete(hear);
          resolve();
        };
        this.#hearers.add(hear);
      });
    }
  }

  /** Takes the lines so far that fit. */
  takeAll(fits: (line: Line) => boolean): Line[] {
    const found = this.#lines.filter(fits);
    for (const line of found) this.#lines.splice(this.#lines.indexOf(line), 1);
    return found;
  }

  /** Processor seconds so far; NaN where there is no /proc. */
  cpuSeconds(): number {
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
    } catch {
      return Number.NaN;
    }
  }

  /** Resolves when it has ended by itself, or of a signal. */
  async ended(): Promise<void> {
    if (this.#isGone) return;
    await new Promise((resolve) => this.#process.once('close', resolve));
  }

  async stop(): Promise<void> {
    if (!this.#isGone) this.#process.kill('SIGKILL');
    await this.ended();
  }
}
