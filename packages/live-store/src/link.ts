/**
 * One connection to Redis, with what must be known of it: which server process answers, since when
 * without a break, and how many replicas it has. A failed command is an outcome, never repeated
 * here.
 */
import { Redis } from 'ioredis';
import { connectFault, readonlyFault } from './faults.ts';

/**
 * Waits between attempts to connect grow to this, with jitter, so a herd does not return at once.
 */
const RECONNECT_MS_MAX = 1_000;
const LOADING_RETRY_MS = 100;
const CONNECT_TIMEOUT_MS = 5_000;

export type Outcome =
  | { readonly value: unknown; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: Error };

/** A command and its arguments. */
export type Request = readonly [string, ...(string | number | Buffer)[]];

export type LinkOptions = {
  readonly url: string;
  /** A reply later than this is an unknown outcome. */
  readonly timeoutMs: number;
  readonly localMs: () => number;
  readonly onChange: (change: LinkChange) => void;
};

export type LinkChange =
  | { readonly kind: 'connected'; readonly runId: string }
  | { readonly kind: 'disconnected'; readonly message: string }
  | { readonly kind: 'readonly'; readonly runId: string };

export type Traffic = {
  readonly commands: number;
  readonly roundTrips: number;
  readonly bytes: number;
};

export class Link {
  readonly redis: Redis;
  /** Counts connections: differs after a break, even to the same server. */
  connection = 0;
  /** '' while the server that answers is not known. */
  runId = '';
  isReadonly = false;
  connectedAtMs = 0;
  #replicas = 0;
  #commands = 0;
  #roundTrips = 0;
  #bytesOfPast = 0;
  #lastError: Error | undefined;
  readonly #options: LinkOptions;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.redis = new Redis(options.url, {
      lazyConnect: true,
      // A write whose reply was lost must not be sent again by the client: the caller knows whether
      // the first one happened, by its own sequence numbers (L4).
      autoResendUnfulfilledCommands: false,
      // Without this, what was in flight when the connection broke is never answered.
      maxRetriesPerRequest: 0,
      // What cannot be sent now is refused now: a commit that waits in a queue is a commit too
      // late.
      enableOfflineQueue: false,
      // A silent server is an unknown outcome, and after a while a broken connection.
      commandTimeout: options.timeoutMs,
      socketTimeout: options.timeoutMs + 1_000,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: (times) =>
        Math.min(25 * 2 ** Math.min(times, 6), RECONNECT_MS_MAX) * (0.5 + Math.random() / 2),
      // One that still reads its file guesses how long, in whole seconds: leases end sooner.
      maxLoadingRetryTime: LOADING_RETRY_MS,
      // A primary that became a replica: behind a name or a proxy the next connection may be right.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
    this.redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.redis.on('ready', () => this.#identify());
    this.redis.on('close', () => this.#lost());
  }

  /** Connects for the first time. Throws `REDIS_UNREACHABLE`, `REDIS_AUTH` or `REDIS_READONLY`. */
  async open(): Promise<void> {
    try {
      await this.redis.connect();
      await this.refresh();
    } catch (error) {
      this.redis.disconnect();
      throw connectFault(this.#options.url, this.#lastError ?? error);
    }
    if (!this.isReadonly) return;
    this.redis.disconnect();
    throw readonlyFault(this.#options.url);
  }

  get isConnected(): boolean {
    return this.runId !== '' && !this.isReadonly && this.redis.status === 'ready';
  }

  /** The most replicas seen on this server process: one that is cut off may still be promoted. */
  get replicas(): number {
    return this.#replicas;
  }

  /**
   * Sends all requests in one round trip. Never rejects. Replies are text, or bytes if asked for.
   */
  async exec(requests: readonly Request[], replyAs: 'text' | 'bytes' = 'text'): Promise<Outcome[]> {
    const pipeline = this.redis.pipeline();
    for (const [name, ...args] of requests) {
      if (replyAs === 'text') pipeline.call(name, args);
      else pipeline.callBuffer(name, args);
    }
    this.#commands += requests.length;
    this.#roundTrips++;
    try {
      const results = await pipeline.exec();
      if (results === null) throw new Error('the pipeline was aborted');
      return results.map(([error, value]) => (error ? { error } : { value }));
    } catch (error) {
      return requests.map(() => ({ error: error as Error }));
    }
  }

  /**
   * Sends requests one after the other without waiting for replies, each as soon as it has been
   * made: the server works on the first while the second is made. Never rejects.
   *
   * PERF: 64 cells of 4 KB go out in four writes. As one pipeline, which is put together first and
   * sent in one piece, the store and its client took turns instead of working side by side.
   */
  async stream(requests: Iterable<Request>): Promise<Outcome[]> {
    const outcomes: Promise<Outcome>[] = [];
    for (const [name, ...args] of requests) {
      outcomes.push(
        this.redis.call(name, args).then(
          (value) => ({ value }),
          (error: Error) => ({ error }),
        ),
      );
    }
    this.#commands += outcomes.length;
    this.#roundTrips++;
    return Promise.all(outcomes);
  }

  /** One request; rejects when it fails. */
  async call(request: Request, replyAs: 'text' | 'bytes' = 'text'): Promise<unknown> {
    const [outcome] = await this.exec([request], replyAs);
    if (outcome?.error !== undefined) throw outcome.error;
    return outcome?.value;
  }

  /** Asks who the server is and how many replicas follow it. */
  async refresh(): Promise<void> {
    const { connection } = this;
    const [server, replication] = await this.exec([
      ['info', 'server'],
      ['info', 'replication'],
    ]);
    if (server?.error !== undefined) throw server.error;
    if (replication?.error !== undefined) throw replication.error;
    if (connection === this.connection) {
      this.#learn(String(server?.value), String(replication?.value));
    }
  }

  traffic(): Traffic {
    return {
      commands: this.#commands,
      roundTrips: this.#roundTrips,
      bytes: this.#bytesOfPast + this.#socketBytes(),
    };
  }

  async close(): Promise<void> {
    const { status } = this.redis;
    // Between two attempts there is no socket, and nothing would tell that it has ended.
    const hasSocket = !['wait', 'end', 'close', 'reconnecting'].includes(status);
    const ended = hasSocket && new Promise<void>((resolve) => this.redis.once('end', resolve));
    this.redis.disconnect();
    await ended;
  }

  #identify(): void {
    this.connection++;
    this.refresh().catch(() => {
      // The server cannot say who it is: nothing may be built on this connection.
      this.redis.disconnect(true);
    });
  }

  #learn(server: string, replication: string): void {
    const runId = /^run_id:(\w+)/m.exec(server)?.[1] ?? '';
    const replicas = replication.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
    const isNew = this.runId === '';
    const isReadonly = /^role:slave/m.test(replication);
    this.#replicas = runId === this.#runSeen ? Math.max(this.#replicas, replicas) : replicas;
    this.#runSeen = runId;
    this.runId = runId;
    if (isNew) this.connectedAtMs = this.#options.localMs();
    if (isReadonly && (isNew || !this.isReadonly))
      this.#options.onChange({ kind: 'readonly', runId });
    this.isReadonly = isReadonly;
    if (isNew && !isReadonly) this.#options.onChange({ kind: 'connected', runId });
  }

  #runSeen = '';

  #lost(): void {
    this.#bytesOfPast += this.#socketBytes();
    const wasConnected = this.runId !== '';
    this.runId = '';
    if (!wasConnected) return;
    this.#options.onChange({
      kind: 'disconnected',
      message: this.#lastError?.message ?? 'the connection was closed',
    });
  }

  #socketBytes(): number {
    const socket = this.redis.stream as { bytesRead?: number; bytesWritten?: number } | undefined;
    return (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0);
  }
}
