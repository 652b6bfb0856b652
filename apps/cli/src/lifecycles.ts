/**
 * The lifecycle services of a run: processes that answer the HTTP API of its entities. They keep
 * nothing, so one that dies is replaced on the same port, and the world needs none of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LeaseholdError } from '@leasehold/kernel';
import { Child, type Exit } from './child.ts';
import type { Colors } from './output.ts';
import { choosePorts, LOOPBACK } from './ports.ts';

const MAIN = fileURLToPath(new URL('../../lifecycle/src/main.ts', import.meta.url));
/** The first of them listens here, or at the next port that is free. */
export const API_PORT_DEFAULT = 7_320;
const REPLACE_MS = 500;
/** One that cannot listen is tried again ever more rarely. */
const REPLACE_MS_MAX = 8_000;
const LISTENING_MAX_MS = 30_000;
/** Requests that wait for an answer get it; then some, for a machine that is busy. */
const DRAIN_MS = 1_000;
const DRAIN_MARGIN_MS = 3_000;
const LOOK_MS = 10;
/** Asked once at the start, on this machine. */
const DOCS_MS_MAX = 2_000;
/** A page for people first, then the description for programs. */
const DOCS_PATHS = ['/docs', '/openapi.json'];

export type LifecycleParts = {
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  /** Told what becomes of them without our doing. */
  readonly warn: (line: string) => void;
  /** The program to run; another one in tests. */
  readonly main?: string;
};

type Lifecycle = {
  readonly name: string;
  port: number;
  child: Child | undefined;
  /** '' until it listens. */
  url: string;
  hasListened: boolean;
  /** Starts in a row that did not come to listen. */
  failures: number;
  /** Until another takes the place of one that died. */
  timer: NodeJS.Timeout | undefined;
};

/** Ports for them: the first free ones, and none that is to be another's. */
export const lifecyclePorts = (count: number, others: readonly number[]): Promise<number[]> =>
  choosePorts(count, 0, others, API_PORT_DEFAULT);

export class Lifecycles {
  readonly #parts: LifecycleParts;
  readonly #lifecycles: Lifecycle[] = [];
  #isOver = false;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  start(): void {
    for (const [i, port] of this.#parts.ports.entries()) {
      const name = `lifecycle-${process.pid.toString(36)}-${i + 1}`;
      const idle = { child: undefined, url: '', hasListened: false, failures: 0, timer: undefined };
      const lifecycle: Lifecycle = { name, port, ...idle };
      this.#lifecycles.push(lifecycle);
      this.#launch(lifecycle);
    }
  }

  /**
   * Resolves once every one has listened, or the signal says that it does not matter any more.
   * Throws `POD_FAILED` when one ended instead.
   */
  async untilListening(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + LISTENING_MAX_MS;
    for (const lifecycle of this.#lifecycles) {
      while (lifecycle.url === '' && !signal.aborted && !this.#isOver) {
        if (lifecycle.failures > 0) throw notListening(lifecycle, 'ended before it could listen');
        if (performance.now() > deadlineMs) throw notListening(lifecycle, 'does not listen');
        await sleep(LOOK_MS);
      }
    }
  }

  /** Addresses of those that listen. */
  get urls(): string[] {
    return this.#lifecycles.map(({ url }) => url).filter((url) => url !== '');
  }

  /** Ends them in order; nothing listens afterwards. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lifecycles.map((lifecycle) => end(lifecycle)));
  }

  /** At once and without ceremony. */
  killAll(): void {
    this.#isOver = true;
    for (const { child, timer } of this.#lifecycles) {
      clearTimeout(timer);
      child?.signal('SIGKILL');
    }
  }

  async close(): Promise<void> {
    this.killAll();
    await Promise.all(this.#lifecycles.map(({ child }) => child?.exited));
  }

  #launch(lifecycle: Lifecycle): void {
    const { env, main = MAIN } = this.#parts;
    lifecycle.url = '';
    const settings = {
      LOG_LEVEL: 'warn',
      DRAIN_MS: String(DRAIN_MS),
      ...env,
      HOST: LOOPBACK,
      PORT: String(lifecycle.port),
    };
    const child = new Child(lifecycle.name, main, settings, (message) => {
      if (message['type'] !== 'listening') return;
      lifecycle.url = String(message['url']).replace(/\/+$/, '');
      lifecycle.hasListened = true;
      lifecycle.failures = 0;
    });
    lifecycle.child = child;
    void child.exited.then((exit) => this.#noteExit(lifecycle, child, exit));
  }

  #noteExit(lifecycle: Lifecycle, child: Child, { code, signal }: Exit): void {
    if (this.#isOver) return;
    if (!lifecycle.hasListened && isTaken(child)) {
      void this.#move(lifecycle);
      return;
    }
    if (lifecycle.url === '') lifecycle.failures++;
    lifecycle.url = '';
    if (lifecycle.failures <= 1) {
      const { warn } = this.#parts;
      warn(`${lifecycle.name} ended (${signal ?? `exit code ${code}`}), another takes its port`);
      if (signal === null) for (const line of child.lastWords.slice(-3)) warn(`  ${line}`);
    }
    const ms = REPLACE_MS * 2 ** Math.max(0, lifecycle.failures - 1);
    lifecycle.timer = setTimeout(() => this.#launch(lifecycle), Math.min(REPLACE_MS_MAX, ms));
  }

  /** Somebody who was started at the same time found the same port free, and was first. */
  async #move(lifecycle: Lifecycle): Promise<void> {
    const own = this.#lifecycles.map(({ port }) => port);
    try {
      [lifecycle.port = lifecycle.port] = await lifecyclePorts(1, own);
    } catch {
      lifecycle.failures++;
      return;
    }
    if (!this.#isOver) this.#launch(lifecycle);
  }
}

async function end({ child, timer }: Lifecycle): Promise<void> {
  clearTimeout(timer);
  if (child === undefined || child.exit !== undefined) return;
  await child.stop(DRAIN_MS + DRAIN_MARGIN_MS);
}

const isTaken = ({ lastLines }: Child): boolean =>
  lastLines.some((line) => line.includes('"PORT_IN_USE"'));

function notListening({ name, port, child }: Lifecycle, what: string): LeaseholdError {
  return new LeaseholdError('POD_FAILED', `${name} ${what} on port ${port}`, {
    field: 'lifecycle',
    value: child?.lastWords.join('\n') ?? '',
    remedy: 'Mend what the last lines say, or run with --lifecycle 0: the world needs none.',
  });
}

/** Where the API describes itself; undefined: nowhere. */
export async function docsUrl(api: string): Promise<string | undefined> {
  for (const path of DOCS_PATHS) {
    try {
      const signal = AbortSignal.timeout(DOCS_MS_MAX);
      const answer = await fetch(`${api}${path}`, { signal, headers: { connection: 'close' } });
      await answer.body?.cancel();
      if (answer.ok) return `${api}${path}`;
    } catch {
      // It has just died: the address is told without it.
    }
  }
  return undefined;
}

export function apiLine(
  urls: readonly string[],
  docs: string | undefined,
  { bold, cyan, dim }: Colors,
): string {
  const described = docs === undefined ? '' : dim(`  described at ${docs}`);
  return `${bold('api')}  ${urls.map((url) => cyan(url)).join(', ')}${described}`;
}
