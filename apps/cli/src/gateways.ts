/**
 * The gateways of a run: processes that serve views of the world, and its map. They hold nothing, so
 * one that dies is replaced on the same port. They own no pod either: a kill that a viewer asks for
 * comes here as a line, and is done by whoever owns the pods.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LeaseholdError } from '@leasehold/kernel';
import { Child, type Exit } from './child.ts';
import { choosePorts, LOOPBACK } from './ports.ts';

const MAIN = fileURLToPath(new URL('../../view-gateway/src/main.ts', import.meta.url));
const VIEWER_DIST = fileURLToPath(new URL('../../viewer/dist', import.meta.url));
const REPLACE_MS = 500;
/** One that cannot listen is tried again ever more rarely. */
const REPLACE_MS_MAX = 8_000;
const LISTENING_MAX_MS = 30_000;
/** Clients are told and connect elsewhere; then some, for a machine that is busy. */
const DRAIN_MS = 500;
const DRAIN_MARGIN_MS = 3_000;
const LOOK_MS = 10;

export type GatewayParts = {
  readonly env: Readonly<Record<string, string>>;
  /** What one of them has besides, by its name. */
  readonly envOf?: (name: string) => Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  /** Nobody asked for these ports: one that is taken before it is listened at gives way to another. */
  readonly mayMove?: boolean;
  /** Told what becomes of gateways without our doing. */
  readonly warn: (line: string) => void;
  /** A viewer with the token wants this pod dead. */
  readonly kill: (pod: string) => void;
  /** The program to run; another one in tests. */
  readonly main?: string;
};

type Gateway = {
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

export class Gateways {
  readonly #parts: GatewayParts;
  /** Of this start alone: handed to gateways and shown in the address, and kept nowhere. */
  readonly #token = randomBytes(16).toString('hex');
  readonly #gateways: Gateway[] = [];
  /** Children that are being ended by us. */
  readonly #leaving = new Set<Child>();
  /** Children that were killed on purpose: nobody needs to be warned of that. */
  readonly #killed = new Set<Child>();
  #isOver = false;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  start(): void {
    for (const [i, port] of this.#parts.ports.entries()) {
      const name = `gateway-${process.pid.toString(36)}-${i + 1}`;
      const idle = { child: undefined, url: '', hasListened: false, failures: 0, timer: undefined };
      const gateway: Gateway = { name, port, ...idle };
      this.#gateways.push(gateway);
      this.#launch(gateway);
    }
  }

  /**
   * Resolves once every gateway has listened, or the signal says that it does not matter any more.
   * Throws `POD_FAILED` when one ended instead.
   */
  async untilListening(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + LISTENING_MAX_MS;
    for (const gateway of this.#gateways) {
      while (gateway.url === '' && !signal.aborted) {
        if (gateway.failures > 0) throw notListening(gateway, 'ended before it could listen');
        if (performance.now() > deadlineMs) throw notListening(gateway, 'does not listen');
        await sleep(LOOK_MS);
      }
    }
  }

  /** Where clients connect for views. */
  get viewUrls(): string[] {
    return this.#gateways.map(({ port }) => `ws://${LOOPBACK}:${port}/view`);
  }

  get names(): string[] {
    return this.#gateways.map(({ name }) => name);
  }

  /** Whether every one of them listens. */
  get areListening(): boolean {
    return this.#gateways.every(({ url }) => url !== '');
  }

  /** Kills one as the machine would: another takes its port. */
  kill(name: string): void {
    const gateway = this.#gateways.find((one) => one.name === name);
    if (gateway?.child === undefined) return;
    this.#killed.add(gateway.child);
    gateway.child.signal('SIGKILL');
  }

  /** The page of the first gateway, with the token that lets it kill pods; '' before it listens. */
  get address(): string {
    const url = this.#gateways[0]?.url ?? '';
    if (url === '') return '';
    // Who can be reached from elsewhere kills nothing: the token stays here.
    return isLoopback(url) ? `${url}/#token=${this.#token}` : `${url}/`;
  }

  /** Ends and starts them one by one, as their clients connect to another meanwhile. */
  async restart(): Promise<void> {
    for (const gateway of this.#gateways) {
      if (this.#isOver) return;
      await this.#end(gateway);
      if (!this.#isOver) this.#launch(gateway);
      while (gateway.url === '' && gateway.failures === 0 && !this.#isOver) await sleep(LOOK_MS);
    }
  }

  /** Ends them in order; nothing listens afterwards. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#gateways.map((gateway) => this.#end(gateway)));
  }

  /** At once and without ceremony. */
  killAll(): void {
    this.#isOver = true;
    for (const { child, timer } of this.#gateways) {
      clearTimeout(timer);
      child?.signal('SIGKILL');
    }
  }

  async close(): Promise<void> {
    this.killAll();
    await Promise.all(this.#gateways.map(({ child }) => child?.exited));
  }

  #launch(gateway: Gateway): void {
    const { env, envOf, kill, main = MAIN } = this.#parts;
    const { name, port } = gateway;
    gateway.url = '';
    const settings = {
      LOG_LEVEL: 'warn',
      DRAIN_MS: String(DRAIN_MS),
      ...env,
      ...envOf?.(name),
      HOST: LOOPBACK,
      PORT: String(port),
      GATEWAY: name,
      KILL_TOKEN: this.#token,
      // With others beside it, one must be ready for the clients of one that dies.
      ...(this.#parts.ports.length > 1 ? { KEEP_WARM: '1' } : {}),
      VIEWER_DIST,
    };
    const child = new Child(name, main, settings, (message) => {
      if (message['type'] === 'listening') {
        gateway.url = String(message['url']).replace(/\/+$/, '');
        gateway.hasListened = true;
        gateway.failures = 0;
      }
      if (message['type'] === 'kill') kill(String(message['pod']));
    });
    gateway.child = child;
    void child.exited.then((exit) => this.#noteExit(gateway, child, exit));
  }

  #noteExit(gateway: Gateway, child: Child, { code, signal }: Exit): void {
    if (this.#isOver || this.#leaving.delete(child)) return;
    if (this.#parts.mayMove === true && !gateway.hasListened && isTaken(child)) {
      void this.#move(gateway);
      return;
    }
    if (gateway.url === '') gateway.failures++;
    gateway.url = '';
    if (gateway.failures <= 1 && !this.#killed.delete(child)) {
      const { warn } = this.#parts;
      warn(`${gateway.name} ended (${signal ?? `exit code ${code}`}), another takes its port`);
      if (signal === null) for (const line of child.lastWords.slice(-3)) warn(`  ${line}`);
    }
    const ms = Math.min(REPLACE_MS_MAX, REPLACE_MS * 2 ** Math.max(0, gateway.failures - 1));
    gateway.timer = setTimeout(() => this.#launch(gateway), ms);
  }

  /** Somebody who was started at the same time found the same port free, and was first. */
  async #move(gateway: Gateway): Promise<void> {
    const own = this.#gateways.map(({ port }) => port);
    try {
      [gateway.port = gateway.port] = await choosePorts(1, 0, own);
    } catch {
      gateway.failures++;
      return;
    }
    this.#parts.warn(
      `${gateway.name} listens at port ${gateway.port}: its own was taken meanwhile`,
    );
    if (!this.#isOver) this.#launch(gateway);
  }

  async #end({ child, timer }: Gateway): Promise<void> {
    clearTimeout(timer);
    if (child === undefined || child.exit !== undefined) return;
    this.#leaving.add(child);
    await child.stop(DRAIN_MS + DRAIN_MARGIN_MS);
  }
}

function isTaken({ lastLines }: Child): boolean {
  return lastLines.some((line) => line.includes('"PORT_IN_USE"'));
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

function notListening({ name, port, child }: Gateway, what: string): LeaseholdError {
  return new LeaseholdError('POD_FAILED', `${name} ${what} on port ${port}`, {
    field: 'gateway',
    value: child?.lastWords.join('\n') ?? '',
    remedy: 'Mend what the last lines say, or run with --gateways 0: the world needs none.',
  });
}
