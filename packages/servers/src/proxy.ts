/**
 * A TCP proxy to a server on this machine that can be made slow, deaf or unreliable. `up` is from
 * client to server, `down` the way back. What a black hole swallows is delivered when it heals, as
 * TCP would after a partition.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'up' | 'down' | 'both';

/** Beyond this much undelivered the sender is paused, as a full TCP window would. */
const HELD_BYTES_MAX = 16 << 20;

export type ProxyOptions = {
  /** The server's port. */
  readonly target: number;
  /** Called once `close` was. */
  readonly onClose?: () => void;
};

type Side = { delayMs: number; isHeld: boolean; bytes: number };

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sides: Record<'up' | 'down', Side> = {
    up: { delayMs: 0, isHeld: false, bytes: 0 },
    down: { delayMs: 0, isHeld: false, bytes: 0 },
  };
  readonly #lanes = new Set<Lane>();
  readonly #clients = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  readonly #onClose: () => void;
  #target: number;
  #refuses = false;
  #repliesToLose = 0;

  constructor(server: Server, port: number, { target, onClose = () => {} }: ProxyOptions) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    this.#onClose = onClose;
    server.on('connection', (client) => this.#accept(client));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Open connections from clients. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Bytes delivered so far, each way. */
  get bytes(): { readonly up: number; readonly down: number } {
    return { up: this.#sides.up.bytes, down: this.#sides.down.bytes };
  }

  /** Delays every byte from now on; order is kept. */
  delay(ms: number, direction: Direction = 'both'): void {
    for (const side of this.#chosen(direction)) side.delayMs = ms;
  }

  /** Delivers nothing, closes included, until `heal`. New connections are accepted and hang. */
  blackhole(direction: Direction = 'both'): void {
    for (const side of this.#chosen(direction)) side.isHeld = true;
  }

  /** Ends black holes, delays and refusals. */
  heal(): void {
    this.#refuses = false;
    for (const side of this.#chosen('both')) {
      side.isHeld = false;
      side.delayMs = 0;
    }
    for (const lane of this.#lanes) lane.pump();
  }

  /** Resets every open connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** From now on new connections are reset at once. Ends with `heal`. */
  refuse(): void {
    this.#refuses = true;
  }

  /** New connections go to another port. Open ones stay where they are: `cut` them. */
  retarget(port: number): void {
    this.#target = port;
  }

  /**
   * The next `count` replies are swallowed, each together with its connection: the server has done
   * the work and the client cannot know.
   */
  loseReply(count = 1): void {
    this.#repliesToLose += count;
  }

  async close(): Promise<void> {
    this.#onClose();
    const done = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await done;
  }

  #chosen(direction: Direction): Side[] {
    if (direction === 'both') return [this.#sides.up, this.#sides.down];
    return [this.#sides[direction]];
  }

  #accept(client: Socket): void {
    this.#sockets.add(client);
    client.on('error', () => {});
    this.#clients.add(client);
    client.on('close', () => {
      this.#sockets.delete(client);
      this.#clients.delete(client);
    });
    if (this.#refuses) return void client.resetAndDestroy();
    const server = connect({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true });
    this.#sockets.add(server);
    server.on('error', () => {});
    server.on('close', () => this.#sockets.delete(server));
    for (const socket of [client, server]) socket.setNoDelay(true);
    this.#join(new Lane(client, server, this.#sides.up));
    const loses = (): boolean => {
      if (this.#repliesToLose === 0) return false;
      this.#repliesToLose--;
      client.resetAndDestroy();
      server.resetAndDestroy();
      return true;
    };
    this.#join(new Lane(server, client, this.#sides.down, loses));
  }

  #join(lane: Lane): void {
    this.#lanes.add(lane);
    lane.onDone = () => this.#lanes.delete(lane);
  }
}

type Parcel = { readonly dueMs: number; readonly bytes: Buffer | 'end' | 'reset' };

/** One direction of one connection: a queue with a time on each parcel. */
class Lane {
  onDone: () => void = () => {};
  readonly #to: Socket;
  readonly #from: Socket;
  readonly #side: Side;
  readonly #queue: Parcel[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, side: Side, loses: () => boolean = () => false) {
    this.#from = from;
    this.#to = to;
    this.#side = side;
    from.on('data', (bytes: Buffer) => {
      if (loses()) return;
      this.#heldBytes += bytes.length;
      if (this.#heldBytes > HELD_BYTES_MAX) from.pause();
      this.#put(bytes);
    });
    from.on('end', () => this.#put('end'));
    from.on('close', (hadError) => {
      if (hadError) this.#put('reset');
    });
    to.on('close', () => this.#finish());
  }

  pump(): void {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined || this.#side.isHeld) return;
      // `heal` takes the delay away from what already waits.
      if (head.dueMs > nowMs && this.#side.delayMs > 0) {
        this.#timer = setTimeout(() => this.pump(), head.dueMs - nowMs);
        return;
      }
      this.#queue.shift();
      this.#deliver(head.bytes);
    }
  }

  #put(bytes: Parcel['bytes']): void {
    this.#queue.push({ dueMs: performance.now() + this.#side.delayMs, bytes });
    this.pump();
  }

  #deliver(bytes: Parcel['bytes']): void {
    if (bytes === 'reset') return void this.#to.resetAndDestroy();
    if (bytes === 'end') return void this.#to.end();
    this.#side.bytes += bytes.length;
    this.#heldBytes -= bytes.length;
    if (this.#heldBytes <= HELD_BYTES_MAX) this.#from.resume();
    this.#to.write(bytes);
  }

  /**
   * The other lane tells the far end, with its delay, or not at all while that way is a black hole.
   */
  #finish(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.onDone();
  }
}

/** Listens on a free port of 127.0.0.1 and passes every connection on to `target`. */
export function openProxy(options: ProxyOptions): Promise<TcpProxy> {
  const server = createServer({ allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address !== 'object' || address === null) return reject(new Error('no address'));
      resolve(new TcpProxy(server, address.port, options));
    });
  });
}
