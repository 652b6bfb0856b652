/**
 * One WebSocket from its opening to its end. It says each thing once and nothing after it was
 * closed, notices a gateway that is silent, and never throws.
 */
import type { ClientMessage } from '@leasehold/protocol/view';
import { Deadline } from './clock.ts';
import type { ClientClock, SocketConstructor } from './types.ts';

const OPEN_MAX_MS = 3_000;
/** A gateway tells the time every second, and answers each ping. */
const PING_EVERY_MS = 4_000;
const SILENCE_MAX_MS = 12_000;
/**
 * A frame holds at least one cell whole, so this is a cell of about half a million rows. Beyond it
 * the bytes are not a gateway's.
 */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
/** What browsers say of a connection that broke. */
const ABNORMAL = 1006;

export type ConnectionParts = {
  readonly url: string;
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  readonly opened: () => void;
  readonly frame: (bytes: Uint8Array) => void;
  /** It said what no gateway says; the connection stays until it is closed. */
  readonly garbage: (problem: string) => void;
  /** Not called after `close`. */
  readonly closed: (code: number, reason: string) => void;
};

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #socket: InstanceType<SocketConstructor> | undefined;
  readonly #opening: Deadline;
  readonly #pinging: Deadline;
  #heardMs: number;
  #isOpen = false;
  #isOver = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#opening = new Deadline(parts.clock);
    this.#pinging = new Deadline(parts.clock);
    this.#heardMs = parts.clock.nowMs();
    this.#opening.set(OPEN_MAX_MS, () => this.#fail());
    try {
      const socket = new parts.WebSocket(parts.url);
      this.#socket = socket;
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => this.#opened();
      socket.onmessage = (event: { readonly data: unknown }) => this.#hear(event.data);
      socket.onclose = (event: { readonly code: number; readonly reason: string }) =>
        this.#ended(event.code, event.reason);
      socket.onerror = () => undefined;
    } catch {
      this.#socket = undefined;
      this.#opening.set(0, () => this.#fail());
    }
  }

  #opened(): void {
    if (this.#isOver) return;
    this.#isOpen = true;
    this.#opening.clear();
    this.#heardMs = this.#parts.clock.nowMs();
    this.#ping();
    this.#parts.opened();
  }

  #ping(): void {
    this.#pinging.set(PING_EVERY_MS, () => {
      const now = this.#parts.clock.nowMs();
      if (now - this.#heardMs > SILENCE_MAX_MS) return this.#fail();
      this.send({ type: 'ping', at: now });
      this.#ping();
    });
  }

  #hear(data: unknown): void {
    if (this.#isOver) return;
    this.#heardMs = this.#parts.clock.nowMs();
    if (!(data instanceof ArrayBuffer)) this.#parts.garbage('a message that is no frame');
    else if (data.byteLength > FRAME_BYTES_MAX) {
      this.#parts.garbage(`a frame of ${data.byteLength} bytes`);
    } else this.#parts.frame(new Uint8Array(data));
  }

  send(message: ClientMessage): void {
    if (!this.#isOpen || this.#isOver) return;
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch {
      // A socket that just broke; its end is about to be heard of.
    }
  }

  #fail(): void {
    this.#ended(ABNORMAL, '');
  }

  #ended(code: number, reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#parts.closed(code, reason);
  }

  /** Ends it in silence. */
  close(code = 1000, reason = ''): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#opening.clear();
    this.#pinging.clear();
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    try {
      socket.close(code, reason);
    } catch {
      // It was not open yet, and some sockets mind.
    }
  }
}
