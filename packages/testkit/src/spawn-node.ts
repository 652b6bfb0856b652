import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { opened } from './leftovers.ts';
import { signal as send } from './start-redis.ts';

/** One line of standard output: a JSON object as itself, anything else as `{ text }`. */
export type LogLine = Readonly<Record<string, unknown>>;

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Spawned = {
  readonly pid: number;
  /** Every line so far. */
  readonly lines: readonly LogLine[];
  /** Everything written to standard output and error so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly exited: Promise<Exit>;
  /**
   * The first line, past or coming, that fits. Throws after `ms`, or as soon as the process has
   * ended without one, with the end of what it said.
   */
  waitFor(fits: (line: LogLine) => boolean, ms?: number): Promise<LogLine>;
  /** Sends a signal. */
  kill(signal?: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<Exit>;
};

const SAID_CHARACTERS_MAX = 4_000;

/** Runs `node <args>` with this very Node; a leftover process fails the test file. */
export function spawnNode(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Spawned {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const pid = child.pid ?? 0;
  const output = collect(child);
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', () => resolve({ code: null, signal: null }));
    // `close` and not `exit`: by then the last line has been read.
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = (name: NodeJS.Signals = 'SIGKILL'): void => {
    if (!isGone()) send(pid, name);
  };
  const end = async (): Promise<void> => {
    kill();
    await exited;
  };
  const close = opened(`process ${pid}: node ${args.join(' ')}`, end);
  exited.then(close, close);
  return {
    pid,
    lines: output.lines,
    get stdout() {
      return output.stdout.join('');
    },
    get stderr() {
      return output.stderr.join('');
    },
    exited,
    waitFor: (fits, ms = 10_000) => output.waitFor(fits, ms, exited),
    kill,
    stop: async (graceMs = 5_000) => {
      kill('SIGTERM');
      const timer = setTimeout(kill, graceMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

function collect(child: ChildProcess) {
  const lines: LogLine[] = [];
  const stdout: string[] = [];
  const stderr: string[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  if (child.stdout !== null) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text));
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = logLine(text);
      lines.push(line);
      for (const watch of watchers) watch(line);
    });
  }
  const said = (): string => [...stdout, ...stderr].join('').slice(-SAID_CHARACTERS_MAX);
  const waitFor = (fits: (line: LogLine) => boolean, ms: number, exited: Promise<Exit>) =>
    new Promise<LogLine>((resolve, reject) => {
      const past = lines.find(fits);
      if (past !== undefined) return resolve(past);
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        watchers.delete(watch);
        act();
      };
      const fail = (why: string): void =>
        finish(() => reject(new Error(`${why} without the awaited line; it said:\n${said()}`)));
      const watch = (line: LogLine): void => {
        if (fits(line)) finish(() => resolve(line));
      };
      const timer = setTimeout(() => fail(`${ms} ms passed`), ms);
      watchers.add(watch);
      exited.then(
        ({ code, signal }) => fail(`the process ended (${signal ?? code})`),
        () => {},
      );
    });
  return { lines, stdout, stderr, waitFor };
}

function logLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as LogLine;
  } catch {
    // Not every line of a program is JSON.
  }
  return { text };
}
