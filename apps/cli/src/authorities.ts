/**
 * The authorities of a run: processes of which one plans. The world needs none: pods share its cells
 * among themselves then. One that dies is replaced, and meanwhile another leads.
 */
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import type { RunOptions } from './options.ts';

const MAIN = fileURLToPath(new URL('../../authority/src/main.ts', import.meta.url));
const REPLACE_MS = 500;
/** One that cannot start is tried again ever more rarely. */
const REPLACE_MS_MAX = 8_000;
const STOP_MS = 3_000;
const SCALE_MS_MAX = 1_000;

export type AuthorityParts = {
  readonly env: Readonly<Record<string, string>>;
  /** What one of them has besides, by its name. */
  readonly envOf?: (name: string) => Readonly<Record<string, string>>;
  /** Of each layer. */
  readonly count: number;
  /** The first is the one that is asked how many pods are wanted. */
  readonly layers: readonly string[];
  readonly warn: (line: string) => void;
};

/** How many pods are wanted, and why, as the one that leads says. */
export type Scale = { readonly podsWanted: number; readonly why: string };

type Authority = {
  readonly name: string;
  readonly layer: string;
  child: Child | undefined;
  /** '' until it listens. */
  url: string;
  /** Starts in a row that did not come to listen. */
  failures: number;
  timer: NodeJS.Timeout | undefined;
};

export class Authorities {
  readonly #parts: AuthorityParts;
  readonly #authorities: Authority[] = [];
  #isOver = false;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
  }

  start(): void {
    const { count, layers } = this.#parts;
    for (const [at, layer] of layers.entries()) {
      for (let i = 1; i <= count; i++) {
        const name = `authority-${process.pid.toString(36)}-${at * count + i}`;
        const none = { child: undefined, url: '', failures: 0, timer: undefined };
        const authority: Authority = { name, layer, ...none };
        this.#authorities.push(authority);
        this.#launch(authority);
      }
    }
  }

  get names(): string[] {
    return this.#authorities.map(({ name }) => name);
  }

  /** Kills one as the machine would: another takes its place. */
  kill(name: string): void {
    this.#authorities.find((one) => one.name === name)?.child?.signal('SIGKILL');
  }

  /** Pods of a layer, the first if none is named; undefined: nobody leads just now. */
  async scale(layer = this.#parts.layers[0]): Promise<Scale | undefined> {
    return (await this.#leading(layer))?.scale;
  }

  /** The one that leads and has made a plan; undefined: there is none just now. */
  async leader(): Promise<string | undefined> {
    return (await this.#leading(this.#parts.layers[0]))?.name;
  }

  /** Only the one that leads says how many pods are wanted. */
  async #leading(
    of: string | undefined,
  ): Promise<{ readonly name: string; readonly scale: Scale } | undefined> {
    for (const { name, layer, url } of this.#authorities) {
      if (url === '' || layer !== of) continue;
      try {
        const signal = AbortSignal.timeout(SCALE_MS_MAX);
        const answer = await fetch(`${url}/scale`, { signal });
        if (answer.ok) return { name, scale: (await answer.json()) as Scale };
      } catch {
        // It has just died: another is asked.
      }
    }
    return undefined;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const { timer } of this.#authorities) clearTimeout(timer);
    await Promise.all(this.#authorities.map(({ child }) => child?.stop(STOP_MS)));
  }

  /** At once and without ceremony. */
  killAll(): void {
    this.#isOver = true;
    for (const { child, timer } of this.#authorities) {
      clearTimeout(timer);
      child?.signal('SIGKILL');
    }
  }

  async close(): Promise<void> {
    this.killAll();
    await Promise.all(this.#authorities.map(({ child }) => child?.exited));
  }

  #launch(authority: Authority): void {
    const { env, envOf } = this.#parts;
    const { name, layer } = authority;
    const own = { PORT: '0', AUTHORITY: name, LAYER: layer };
    const settings = { LOG_LEVEL: 'warn', ...env, ...envOf?.(name), ...own };
    const child = new Child(name, MAIN, settings, (message) => {
      if (message['type'] !== 'listening') return;
      authority.url = String(message['url']);
      authority.failures = 0;
    });
    authority.child = child;
    void child.exited.then(({ code, signal }) => {
      if (this.#isOver) return;
      if (authority.url === '') authority.failures++;
      authority.url = '';
      if (signal === null && authority.failures <= 1) {
        this.#parts.warn(`${name} ended (exit code ${code}), another takes its place`);
        for (const line of child.lastWords.slice(-3)) this.#parts.warn(`  ${line}`);
      }
      const ms = REPLACE_MS * 2 ** Math.max(0, authority.failures - 1);
      authority.timer = setTimeout(() => this.#launch(authority), Math.min(REPLACE_MS_MAX, ms));
    });
  }
}

/** What authorities are to aim at, where it is not the usual. */
export function aimsOf({ autoscale, sparePercent }: RunOptions): Readonly<Record<string, string>> {
  return {
    ...(autoscale && { PODS_MIN: String(autoscale.min), PODS_MAX: String(autoscale.max) }),
    ...(sparePercent !== undefined && { SPARE_PERCENT: String(sparePercent) }),
  };
}
