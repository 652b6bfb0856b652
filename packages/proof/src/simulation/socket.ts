/**
 * A WebSocket without a network: both ends of one connection, in order, with some time between, and
 * with a reader that may stop reading.
 */
import type { Socket, SocketConstructor } from '@leasehold/client';
import type { Peer, Viewer, ViewHub } from '@leasehold/view';
import type { Host } from './host.ts';
import type { VirtualTime } from './virtual-time.ts';

const LATENCY_MS = 0.5;
/** What browsers say of a connection that broke. */
const ABNORMAL = 1006;

/** The end at the gateway. */
export type ServerEnd = {
  /** The gateway has taken the connection. */
  joined(hub: ViewHub, host: Host): void;
  /** The gateway is gone. */
  broken(): void;
};

export type SocketParts = {
  readonly time: VirtualTime;
  readonly accept: (url: string, end: ServerEnd) => boolean;
  /** A connection was made: the last one is the one that counts. */
  readonly opened: (connection: SimConnection) => void;
  readonly isReading: () => boolean;
};

type Frame = { readonly bytes: Uint8Array; readonly done: () => void };
type Ended = { readonly code: number; readonly reason: string };

export class SimConnection implements ServerEnd, Peer {
  readonly #parts: SocketParts;
  readonly #socket: SimSocket;
  #viewer: Viewer | undefined;
  #host: Host | undefined;
  #frames: Frame[] = [];
  #isOver = false;
  queuedBytes = 0;

  constructor(parts: SocketParts, socket: SimSocket, url: string) {
    this.#parts = parts;
    this.#socket = socket;
    parts.opened(this);
    parts.time.after(LATENCY_MS, () => {
      if (!parts.accept(url, this)) this.broken();
    });
  }

  joined(hub: ViewHub, host: Host): void {
    if (this.#isOver) return;
    this.#host = host;
    this.#viewer = hub.join(this);
    this.#parts.time.after(LATENCY_MS, () => this.#socket.onopen?.(undefined as never));
  }

  // ---- what the gateway does ----

  send(bytes: Uint8Array, done: () => void): void {
    this.#frames.push({ bytes, done });
    this.queuedBytes += bytes.length;
    this.pump();
  }

  close(code: number, reason: string): void {
    this.#parts.time.after(LATENCY_MS, () => this.#end({ code, reason }));
  }

  /** Delivers what waits, as far as the client reads. */
  pump(): void {
    if (!this.#parts.isReading()) return;
    for (const { bytes, done } of this.#frames.splice(0)) {
      this.#parts.time.after(LATENCY_MS, () => {
        this.queuedBytes -= bytes.length;
        this.#host?.soon(done);
        if (!this.#isOver) this.#socket.hear(bytes);
      });
    }
  }

  // ---- what the client does ----

  say(text: string): void {
    this.#parts.time.after(LATENCY_MS, () => {
      if (!this.#isOver) this.#host?.soon(() => this.#viewer?.hear(text));
    });
  }

  left(): void {
    this.#isOver = true;
    this.#parts.time.after(LATENCY_MS, () => this.#host?.soon(() => this.#viewer?.gone()));
  }

  // ---- what happens to both ----

  broken(): void {
    this.#end({ code: ABNORMAL, reason: '' });
  }

  #end(how: Ended): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host?.soon(() => this.#viewer?.gone());
    this.#socket.onclose?.(how as never);
  }
}

class SimSocket implements Socket {
  binaryType = 'arraybuffer';
  readonly bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly #connection: SimConnection;

  constructor(parts: SocketParts, url: string) {
    this.#connection = new SimConnection(parts, this, url);
  }

  hear(bytes: Uint8Array): void {
    // A copy, as a network makes one: the sender's memory is not the reader's.
    this.onmessage?.({ data: bytes.slice().buffer } as never);
  }

  send(text: string): void {
    this.#connection.say(text);
  }

  close(): void {
    this.#connection.left();
  }
}

/** The class that a client is given to connect with. */
export function socketClass(parts: SocketParts): SocketConstructor {
  return class extends SimSocket {
    constructor(url: string) {
      super(parts, url);
    }
  };
}
