/**
 * The WebSocket connections of view clients: who is let in, who still answers, who has nothing to
 * do here. What clients say and are told is the hub's; this file only carries it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { CLOSE } from '@leasehold/protocol/view';
import type { Peer, Viewer } from '@leasehold/view';
import type { WebSocket } from 'ws';

/** Beyond the largest message, so that a client hears of a limit by name before it is cut off. */
export const MESSAGE_BYTES_MAX = 16 * 1024;
/** How often a client is asked whether it is still there. */
const PING_MS = 5_000;
/** A network that carried nothing for this long carries nothing any more. */
const DEAD_MS = 15_000;
/** The first message says who one is; whoever connects has it ready. */
const HELLO_MS = 5_000;
/** A client that looks at nothing takes the place of one that would. */
const UNSUBSCRIBED_MS = 60_000;
/** How late a connection that is due is found. */
const LOOK_MS = 500;
/** Who does not answer a close within this is cut off; what it was to read is freed then. */
export const CLOSE_MS = 1_000;

export type CloseCode = keyof typeof CLOSE;

export type ConnectionLimits = {
  readonly perAddressMax: number;
  readonly max: number;
};

type Connection = {
  readonly socket: WebSocket;
  readonly viewer: Viewer;
  readonly address: string;
  readonly openedAtMs: number;
  heardAtMs: number;
  pingedAtMs: number;
  /** When it last had a subscription, or wanted the status. */
  busyAtMs: number;
};

export class ViewConnections {
  /** Connections that this gateway ended, by the name of the code; `DEAD` answered no pings. */
  readonly ended = new Map<string, number>();
  readonly #join: (peer: Peer) => Viewer;
  readonly #nowMs: () => number;
  readonly #limits: ConnectionLimits;
  readonly #open = new Set<Connection>();
  readonly #byAddress = new Map<string, number>();
  readonly #look: NodeJS.Timeout;
  #isClosing = false;
  #emptied: (() => void) | undefined;

  constructor(join: (peer: Peer) => Viewer, nowMs: () => number, limits: ConnectionLimits) {
    this.#join = join;
    this.#nowMs = nowMs;
    this.#limits = limits;
    this.#look = setInterval(() => this.#lookAtAll(), LOOK_MS);
  }

  get count(): number {
    return this.#open.size;
  }

  /** Bytes that wait in sockets, of all clients. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { socket } of this.#open) bytes += socket.bufferedAmount;
    return bytes;
  }

  /** Throws `GATEWAY_CLOSING`, or `LIMIT_EXCEEDED` when there is no place for one more. */
  checkRoom(address: string): void {
    if (this.#isClosing) {
      throw new LeaseholdError('GATEWAY_CLOSING', 'this gateway is shutting down', {
        field: 'gateway',
        value: address,
        remedy: 'Connect to another gateway, or to this address in a moment.',
      });
    }
    const { perAddressMax, max } = this.#limits;
    const own = this.#byAddress.get(address) ?? 0;
    if (own >= perAddressMax) throw full('CONNECTIONS_PER_ADDRESS_MAX', own, 'from one address');
    if (this.count >= max) throw full('CONNECTIONS_MAX', this.count, 'in all');
  }

  /** Takes an open WebSocket over, until it is gone. */
  take(socket: WebSocket, address: string): void {
    const now = this.#nowMs();
    const connection: Connection = {
      socket,
      viewer: this.#join(this.#peerOf(socket)),
      address,
      openedAtMs: now,
      heardAtMs: now,
      pingedAtMs: now,
      busyAtMs: now,
    };
    this.#open.add(connection);
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    socket.on('message', (data, isBinary) => {
      connection.heardAtMs = this.#nowMs();
      if (isBinary) this.#end(socket, 'VIEW_MESSAGE_INVALID');
      // One buffer, as long as nobody asks `ws` for fragments.
      else connection.viewer.hear((data as Buffer).toString('utf8'));
    });
    socket.on('pong', () => {
      connection.heardAtMs = this.#nowMs();
    });
    socket.on('close', () => this.#forget(connection));
  }

  /** Tells everybody goodbye, and cuts off who has not left after `ms`. */
  async close(ms: number): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#look);
    if (this.count === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const { socket } of this.#open) this.#end(socket, 'GATEWAY_CLOSING');
    const timer = setTimeout(() => {
      for (const { socket } of this.#open) socket.terminate();
    }, ms);
    await empty;
    clearTimeout(timer);
  }

  #peerOf(socket: WebSocket): Peer {
    const end = this.#end.bind(this);
    return {
      // A socket that is gone calls back too, with an error that its `close` has told already.
      send: (frame, done) => socket.send(frame, { binary: true, compress: false }, () => done()),
      get queuedBytes() {
        return socket.bufferedAmount;
      },
      close: (code, reason) => end(socket, reason as CloseCode, code),
    };
  }

  #end(socket: WebSocket, code: CloseCode, number: number = CLOSE[code]): void {
    if (socket.readyState !== socket.OPEN) return;
    this.#count(code);
    socket.close(number, code);
    // A reader that stopped reading will not read this either.
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  }

  #forget(connection: Connection): void {
    const { address, viewer } = connection;
    if (!this.#open.delete(connection)) return;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
    viewer.gone();
    if (this.count === 0) this.#emptied?.();
  }

  #lookAtAll(): void {
    const now = this.#nowMs();
    for (const connection of this.#open) this.#lookAt(connection, now);
  }

  #lookAt(connection: Connection, now: number): void {
    const { socket, viewer } = connection;
    if (viewer.subscriptions.size > 0 || viewer.wantsStatus) connection.busyAtMs = now;
    if (now - connection.heardAtMs > DEAD_MS) {
      this.#count('DEAD');
      socket.terminate();
    } else if (!viewer.isGreeted && now - connection.openedAtMs > HELLO_MS) {
      this.#end(socket, 'READER_IDLE');
    } else if (now - connection.busyAtMs > UNSUBSCRIBED_MS) {
      this.#end(socket, 'READER_IDLE');
    } else if (now - connection.pingedAtMs >= PING_MS && socket.readyState === socket.OPEN) {
      connection.pingedAtMs = now;
      socket.ping();
    }
  }

  #count(code: string): void {
    this.ended.set(code, (this.ended.get(code) ?? 0) + 1);
  }
}

function full(field: string, count: number, where: string): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `${count} clients ${where} are connected`, {
    field,
    value: String(count),
    remedy: `Close one of them, use another gateway, or raise ${field}.`,
  });
}
