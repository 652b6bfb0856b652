/**
 * Clients of a gateway in a process of their own, for benchmarks. Told by JSON lines what to do:
 * `watch` (light clients, one for each area: they read of what tick each cell is, and no rows) or
 * `draw` (one client of `@leasehold/client`, as a page would use it). Answers with what it measured.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@leasehold/client';
import {
  type Area,
  type ByteReader,
  FrameReader,
  PART,
  readTime,
  VIEW_PROTOCOL,
  type WorldTime,
} from '@leasehold/protocol/view';
import { WebSocket } from 'ws';
import { type CommitTimes, followCommits, type Stored } from './commit-times.ts';
import { quantiles } from './figure.ts';

export type Task = {
  readonly type: 'watch' | 'draw';
  readonly url: string;
  readonly areas: readonly Area[];
  readonly seconds: number;
  /** Also follow the cells of the first area, to see when its commits were made. */
  readonly stored?: Stored;
};

/** Times in ms. Lag: from the moment a tick was due to the arrival of a cell's news of it. */
export type Watched = {
  readonly type: 'watched';
  readonly frames: number;
  readonly bytes: number;
  readonly ticks: number;
  readonly lag: Quantiles;
  /** Of each client; ascending. */
  readonly p99s: readonly number[];
  /** From the sending, by the gateway's estimate of store time, to the arrival. */
  readonly carried: Quantiles;
  /** From the moment a follower read a commit to the arrival of the first client's frame of it. */
  readonly behind: Quantiles;
  /** From the moment a tick was due to that when a follower read its commit. */
  readonly committed: Quantiles;
};
type Quantiles = ReturnType<typeof quantiles>;

export type Drawn = {
  readonly type: 'drawn';
  readonly entities: number;
  readonly updates: number;
  readonly bytes: number;
  /** Of JSON of the same updates. */
  readonly jsonBytes: number;
  readonly positions: Quantiles;
  readonly apply: Quantiles;
};

class LightClient {
  readonly lags: number[] = [];
  readonly carried: number[] = [];
  readonly ticks = new Set<number>();
  /** By cell and tick, of commits that are timed. */
  readonly heard: CommitTimes = new Map();
  frames = 0;
  bytes = 0;
  isLive = false;
  isMeasuring = false;
  isTimed = false;
  readonly #socket: WebSocket;
  #time: WorldTime | undefined;

  constructor(url: string, area: Area) {
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on('open', () => {
      this.#say({ type: 'hello', protocol: VIEW_PROTOCOL, world: '' });
      this.#say({ type: 'subscribe', id: 1, area });
    });
    this.#socket.on('message', (data) => this.#hear(data as Buffer));
    this.#socket.on('close', (code, reason) => {
      if (code !== 1005) process.stderr.write(`closed: ${code} ${reason.toString()}\n`);
    });
  }

  #say(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  #hear(data: Buffer): void {
    const arrivalMs = Date.now();
    const reader = new FrameReader(data);
    let isNews = false;
    for (let part = reader.next(); part !== undefined; part = reader.next()) {
      if (part.kind === PART.time) this.#time = readTime(part.body);
      else if (part.kind === PART.live) this.isLive = true;
      else if (part.kind === PART.delta || part.kind === PART.state) {
        isNews = true;
        if (this.isMeasuring) this.#measure(part.body, arrivalMs);
      }
    }
    if (!this.isMeasuring || !isNews) return;
    this.frames++;
    this.bytes += data.length;
    this.carried.push(arrivalMs - reader.storeMs);
  }

  #measure(body: ByteReader, arrivalMs: number): void {
    const cell = body.varint();
    const tick = body.varint();
    this.ticks.add(tick);
    this.lags.push(arrivalMs - this.dueMs(tick));
    if (this.isTimed) this.heard.set(`${cell}:${tick}`, arrivalMs);
  }

  /** By the world's clock, which is that of this machine. */
  dueMs(tick: number): number {
    const { baseMs, baseTick, rateHz } = this.#time as WorldTime;
    return baseMs + ((tick - baseTick) * 1_000) / rateHz;
  }

  close(): void {
    this.#socket.close();
  }
}

async function live(isLive: () => boolean): Promise<void> {
  while (!isLive()) await sleep(20);
}

let watching: LightClient[] = [];

async function watch({ url, areas, seconds, stored }: Task): Promise<Watched> {
  const [area] = areas;
  const commits = stored && area && (await followCommits(stored, area));
  const clients = areas.map((area) => new LightClient(url, area));
  watching = clients;
  await live(() => clients.every(({ isLive }) => isLive));
  await sleep(1_000);
  process.stdout.write('{"type":"begun"}\n');
  const [first] = clients;
  if (first !== undefined) first.isTimed = commits !== undefined;
  for (const client of clients) client.isMeasuring = true;
  await sleep(seconds * 1_000);
  for (const client of clients) client.isMeasuring = false;
  await commits?.stop();
  const behind: number[] = [];
  const committed: number[] = [];
  for (const [at, arrivalMs] of first?.heard ?? []) {
    const readMs = commits?.times.get(at);
    if (first === undefined || readMs === undefined) continue;
    behind.push(arrivalMs - readMs);
    committed.push(readMs - first.dueMs(Number(at.split(':')[1])));
  }
  const sum = (of: (client: LightClient) => number) => clients.reduce((n, c) => n + of(c), 0);
  return {
    type: 'watched',
    frames: sum(({ frames }) => frames),
    bytes: sum(({ bytes }) => bytes),
    ticks: Math.max(...clients.map(({ ticks }) => ticks.size)),
    lag: quantiles(clients.flatMap(({ lags }) => lags)),
    p99s: clients.map(({ lags }) => quantiles(lags).p99).sort((a, b) => a - b),
    carried: quantiles(clients.flatMap(({ carried }) => carried)),
    behind: quantiles(behind),
    committed: quantiles(committed),
  };
}

/** The global class, and how long its listener took for each message. */
function timedSocket(took: number[]) {
  return class Timed extends globalThis.WebSocket {
    override set onmessage(hear: ((event: MessageEvent) => void) | null) {
      super.onmessage = (event) => {
        const startMs = performance.now();
        hear?.(event);
        took.push(performance.now() - startMs);
      };
    }
  };
}

/** As exact as the view is. */
const rounded = (value: number): number => Math.round(value * 100) / 100;

/** A page at 60 frames a second. */
const FRAME_MS = 1_000 / 60;
/** JSON of every so manieth list of updates is measured; the others are like it. */
const SAMPLE = 25;

async function draw({ url, areas, seconds }: Task): Promise<Drawn> {
  const took: number[] = [];
  const view = connect({ url, WebSocket: timedSocket(took) as never });
  const subscription = view.subscribe({ area: areas[0] as Area });
  await live(() => subscription.isLive);
  await sleep(1_000);
  took.length = 0;
  const before = { updates: view.updates, bytes: view.bytes };
  const drawing: number[] = [];
  let lists = 0;
  const sampled = { updates: 0, bytes: 0 };
  subscription.on('update', (ids) => {
    if (lists++ % SAMPLE !== 0) return;
    sampled.updates += ids.length;
    sampled.bytes += JSON.stringify(ids.map(plain)).length;
  });
  const plain = (id: number) => {
    const { x, y } = subscription.get(id)?.components['position'] ?? {};
    return { id, position: { x: rounded(Number(x)), y: rounded(Number(y)) } };
  };
  const endMs = performance.now() + seconds * 1_000;
  while (performance.now() < endMs) {
    await sleep(FRAME_MS);
    const startMs = performance.now();
    subscription.positions(startMs);
    drawing.push(performance.now() - startMs);
  }
  const updates = view.updates - before.updates;
  const drawn: Drawn = {
    ...{ type: 'drawn', entities: subscription.size, updates, bytes: view.bytes - before.bytes },
    jsonBytes: (sampled.bytes / Math.max(1, sampled.updates)) * updates,
    positions: quantiles(drawing),
    apply: quantiles(took),
  };
  view.close();
  return drawn;
}

for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line) as Task | { readonly type: 'leave' };
  if (task.type === 'leave') {
    for (const client of watching.splice(0)) client.close();
    process.stdout.write('{"type":"left"}\n');
  } else {
    const measured = task.type === 'watch' ? await watch(task) : await draw(task);
    process.stdout.write(`${JSON.stringify(measured)}\n`);
  }
}
