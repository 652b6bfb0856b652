/**
 * A child process of the command. It speaks JSON lines and dies with its parent: its standard input
 * is a pipe, and when that ends (even by SIGKILL of the parent) the child leaves by itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { COMPILE_CACHE } from './compile-cache.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** Lines kept to explain a child that failed. */
const LAST_LINES_MAX = 20;
const LAST_WORDS_MAX = 5;

export class Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  exit: Exit | undefined;
  /** The last lines of both outputs. */
  readonly lastLines: string[] = [];
  readonly #process: ChildProcess;

  constructor(
    name: string,
    main: string,
    env: Readonly<Record<string, string>>,
    onMessage: (message: Readonly<Record<string, unknown>>) => void = () => {},
  ) {
    this.name = name;
    this.#process = spawn(process.execPath, [main], {
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env, LEASEHOLD_PARENT: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own group: Ctrl-C in the terminal is for the command, which ends its children in order.
      detached: true,
    });
    this.pid = this.#process.pid ?? 0;
    // A child that is gone makes the pipe break; its exit says so already.
    this.#process.stdin?.on('error', () => undefined);
    this.#lines('stdout', (line) => {
      const message = parsed(line);
      if (message !== undefined) onMessage(message);
    });
    this.#lines('stderr', () => undefined);
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        this.exit ??= exit;
        resolve(this.exit);
      };
      this.#process.on('error', (error) => {
        this.#remember(error.message);
        end({ code: null, signal: null });
      });
      this.#process.on('close', (code, signal) => end({ code, signal }));
    });
  }

  /** The last lines that tell what was wrong, rather than where in the code it was. */
  get lastWords(): readonly string[] {
    const words = this.lastLines.filter((line) => !/^\s*(at |Node\.js v|[\^{}]*$)/.test(line));
    return words.slice(-LAST_WORDS_MAX);
  }

  send(line: string): void {
    if (this.exit === undefined) this.#process.stdin?.write(`${line}\n`);
  }

  /** By process id, so that a frozen child can be woken and killed. */
  signal(name: NodeJS.Signals): void {
    if (this.exit === undefined && this.pid > 0) this.#process.kill(name);
  }

  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when the child is gone. */
  async stop(graceMs: number): Promise<Exit> {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  #lines(name: 'stdout' | 'stderr', hear: (line: string) => void): void {
    const input = this.#process[name];
    if (input === null) return;
    createInterface({ input }).on('line', (line) => {
      this.#remember(line);
      hear(line);
    });
  }

  #remember(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > LAST_LINES_MAX) this.lastLines.shift();
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
