/**
 * One client: what it asked for, what it has been told, and what waits for it. A client that reads
 * slowly is told the latest state later, then whole states, and in the end nothing more.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type Answer,
  type Area,
  CLOSE,
  type ClientMessage,
  encodeCellsPart,
  encodeJsonPart,
  encodeLivePart,
  encodeMorePart,
  FrameWriter,
  PART,
  VIEW_PROTOCOL,
} from '@leasehold/protocol/view';
import type { ViewHub } from './hub.ts';
import { readMessage } from './messages.ts';
import type { OpenSnapshot } from './past.ts';
import { chosenOf } from './selection.ts';
import { type Held, type Seat, Subscription } from './subscription.ts';

/** The connection of a client, as the network part provides it. */
export interface Peer {
  /** `done` when the bytes have left this process. They are never changed afterwards. */
  send(frame: Uint8Array, done: () => void): void;
  /** Bytes given to `send` that have not left this process. */
  readonly queuedBytes: number;
  /** `reason` is the name of the code. */
  close(code: number, reason: string): void;
}

const SECOND_MS = 1_000;
/** Parts of which the newest says all: who reads slowly is spared those before. */
const WHOLE: readonly (number | undefined)[] = [
  ...[PART.time, PART.holders, PART.status, PART.plan],
];
const writer = new FrameWriter();
/** Ends a frame in the middle of a telling: who is gone from one cell may come in the next frame. */
const MORE = encodeMorePart();

export class Viewer {
  readonly subscriptions = new Map<number, Subscription>();
  /** Whether it wants to know of pods, holders and the feed. */
  wantsStatus = false;
  isGreeted = false;
  isGone = false;
  readonly #hub: ViewHub;
  readonly #peer: Peer;
  #control: Uint8Array[] = [];
  #controlBytes = 0;
  #isCutShort = false;
  #progressAtMs: number;
  #secondSinceMs = 0;
  #messages = 0;

  constructor(hub: ViewHub, peer: Peer) {
    this.#hub = hub;
    this.#peer = peer;
    this.#progressAtMs = hub.nowMs();
  }

  /** A text message came. Never throws: what is wrong is answered, or closes the connection. */
  hear(text: string): void {
    if (this.isGone) return;
    if (this.#isFlood()) {
      this.drop('RATE_EXCEEDED');
      return;
    }
    let message: ClientMessage | undefined;
    try {
      message = readMessage(text, this.#hub.limits.messageBytesMax);
      if (!this.isGreeted && message.type !== 'hello') {
        this.drop('VIEW_MESSAGE_INVALID');
        return;
      }
      this.#obey(message);
    } catch (error) {
      this.#refuse(error, message, text);
    }
    this.#hub.flushSoon(this);
  }

  #isFlood(): boolean {
    const now = this.#hub.nowMs();
    if (now - this.#secondSinceMs >= SECOND_MS) {
      this.#secondSinceMs = now;
      this.#messages = 0;
    }
    return ++this.#messages > this.#hub.limits.messagesPerS;
  }

  #refuse(error: unknown, message: ClientMessage | undefined, text: string): void {
    if (!(error instanceof LeaseholdError)) {
      this.#hub.log.error({ err: error }, 'a message could not be served');
      this.drop('VIEW_MESSAGE_INVALID');
      return;
    }
    const { code, detail } = error;
    if (code === 'VIEW_MESSAGE_INVALID' || code === 'VIEW_VERSION' || code === 'WORLD_UNKNOWN') {
      this.#tell(message?.type ?? 'hello', undefined, error);
      this.drop(code);
      return;
    }
    this.#hub.log.debug({ code, ...detail }, 'refused');
    const said = message ?? (JSON.parse(text) as ClientMessage);
    this.#tell(said.type, 'id' in said ? Number(said.id) : undefined, error);
  }

  #tell(to: ClientMessage['type'], id: number | undefined, error: LeaseholdError): void {
    const { code, message, detail } = error;
    this.answer({ to, ...(id === undefined ? {} : { id }), ok: false, code, message, ...detail });
  }

  /** Queues an answer for the next frame. */
  answer(answer: Answer): void {
    this.post(encodeJsonPart('answer', answer));
  }

  /** Queues a complete part for the next frame. One who does not read loses its connection. */
  post(part: Uint8Array): void {
    if (this.isGone) return;
    const old = WHOLE.includes(part[0])
      ? this.#control.findIndex(([kind]) => kind === part[0])
      : -1;
    if (old >= 0) this.#controlBytes -= this.#control.splice(old, 1)[0]?.length ?? 0;
    this.#control.push(part);
    this.#controlBytes += part.length;
    this.#hub.flushSoon(this);
    if (this.#controlBytes <= this.#hub.limits.queueBytesMax) return;
    this.#control = [];
    this.drop('READER_SLOW');
  }

  #takeControl(): readonly Uint8Array[] {
    this.#controlBytes = 0;
    return this.#control.splice(0);
  }

  #obey(message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        this.#greet(message.protocol, message.world);
        break;
      case 'subscribe':
        this.#subscribe(message);
        break;
      case 'area':
        this.#move(this.#named(message.id), message.area);
        break;
      case 'unsubscribe':
        this.#named(message.id).close();
        this.subscriptions.delete(message.id);
        this.answer({ to: 'unsubscribe', id: message.id, ok: true });
        break;
      case 'resync':
        this.#resync(this.#named(message.id), message.cells);
        break;
      case 'status':
        this.wantsStatus = message.on;
        if (message.on) this.#hub.status.greet(this);
        this.answer({ to: 'status', ok: true });
        break;
      case 'ping':
        this.answer({ to: 'ping', ok: true, at: message.at });
        break;
    }
  }

  #greet(protocol: number, world: string): void {
    const { facts } = this.#hub;
    if (protocol !== VIEW_PROTOCOL) {
      throw fault('VIEW_VERSION', 'protocol', protocol, `This gateway speaks ${VIEW_PROTOCOL}.`);
    }
    if (world !== '' && world !== facts.world) {
      throw fault('WORLD_UNKNOWN', 'world', world, `This gateway serves ${facts.world}.`);
    }
    this.isGreeted = true;
    this.post(this.#hub.welcome);
    this.#hub.status.time(this);
  }

  #named(id: number): Subscription {
    const subscription = this.subscriptions.get(id);
    if (subscription !== undefined) return subscription;
    const known = [...this.subscriptions.keys()].join(', ') || 'none';
    throw fault('SUBSCRIPTION_UNKNOWN', 'id', id, `Subscriptions of this connection: ${known}.`);
  }

  #subscribe(message: ClientMessage & { readonly type: 'subscribe' }): void {
    const { limits, facts } = this.#hub;
    const { id, area, rateHz = facts.tickHz } = message;
    if (this.subscriptions.has(id)) {
      throw fault('SUBSCRIPTION_UNKNOWN', 'id', id, 'It is taken: choose another number.');
    }
    if (this.subscriptions.size >= limits.subscriptionsMax) {
      const remedy = `Keep to ${limits.subscriptionsMax} subscriptions a connection.`;
      throw fault('LIMIT_EXCEEDED', 'subscriptionsMax', id, remedy);
    }
    const chosen = chosenOf(this.#hub.schema, message);
    const periodMs = rateHz >= facts.tickHz ? 0 : SECOND_MS / rateHz;
    const past = message.asOf === undefined ? undefined : this.#hub.past.use(message.asOf);
    const subscription = new Subscription(past ?? this.#hub.following, id, chosen, periodMs);
    const held = new Map<number, Held>(
      (message.have ?? []).map(([cell, seq, hash, rows]) => [cell, { seq, hash, rows }]),
    );
    subscription.held = held;
    try {
      this.#hub.place(subscription, area);
    } catch (error) {
      subscription.close();
      throw error;
    }
    this.subscriptions.set(id, subscription);
    if (past === undefined) this.#accept(subscription, area);
    else void this.#acceptPast(subscription, past, area);
  }

  #accept(subscription: Subscription, area: Area): void {
    // It may have been moved while its snapshot was opened.
    const isMoved = subscription.movedAtMs > Number.NEGATIVE_INFINITY;
    if (area.kind === 'around' && !isMoved) this.#hub.target(this, subscription, area);
    this.answer({ to: 'subscribe', id: subscription.id, ok: true });
  }

  /** Whether there is such a snapshot is known a moment later; until then there is nothing to tell. */
  async #acceptPast(subscription: Subscription, past: OpenSnapshot, area: Area): Promise<void> {
    const { id } = subscription;
    const isThere = (): boolean => this.subscriptions.get(id) === subscription;
    try {
      await past.ready;
      if (isThere()) this.#accept(subscription, area);
    } catch (error) {
      if (!isThere()) return;
      this.subscriptions.delete(id);
      subscription.close();
      if (error instanceof LeaseholdError) this.#tell('subscribe', id, error);
      else {
        this.#hub.log.error({ err: error }, 'a snapshot could not be opened');
        this.drop('VIEW_MESSAGE_INVALID');
      }
    }
  }

  #move(subscription: Subscription, area: Area): void {
    const { limits } = this.#hub;
    const now = this.#hub.nowMs();
    const spacingMs = SECOND_MS / limits.areaChangesPerS;
    const dueMs = subscription.movedAtMs + spacingMs;
    if (now < dueMs) {
      const isFirst = subscription.waiting === undefined;
      subscription.waiting = { area, atMs: dueMs };
      if (!isFirst) return;
      const remedy = 'The newest area is kept and comes into force when its time has come.';
      throw fault('RATE_EXCEEDED', 'areaChangesPerS', limits.areaChangesPerS, remedy);
    }
    this.#place(subscription, area);
    this.answer({ to: 'area', id: subscription.id, ok: true });
  }

  #place(subscription: Subscription, area: Area): void {
    subscription.waiting = undefined;
    subscription.movedAtMs = this.#hub.nowMs();
    this.#hub.place(subscription, area);
    if (area.kind === 'around') this.#hub.target(this, subscription, area);
    else subscription.target = undefined;
  }

  /** An area that came too soon comes into force now. */
  settle(nowMs: number): void {
    for (const subscription of this.subscriptions.values()) {
      const { waiting } = subscription;
      if (waiting === undefined || waiting.atMs > nowMs) continue;
      try {
        this.#place(subscription, waiting.area as Area);
      } catch (error) {
        if (!(error instanceof LeaseholdError)) throw error;
        this.#tell('area', subscription.id, error);
      }
    }
  }

  #resync(subscription: Subscription, cells: readonly number[]): void {
    for (const cell of cells) {
      const seat = subscription.seats.get(cell);
      if (seat === undefined) continue;
      seat.base = -1;
      seat.held = undefined;
    }
    this.#hub.counts.resyncs += cells.length;
    this.answer({ to: 'resync', id: subscription.id, ok: true });
  }

  /** Says why and closes. Whoever is dropped is told so, if it still reads. */
  drop(code: keyof typeof CLOSE): void {
    if (this.isGone) return;
    this.#hub.countDrop(code);
    if (this.#control.length > 0) this.#sendControl();
    this.#peer.close(CLOSE[code], code);
    this.gone();
  }

  #sendControl(): void {
    this.#begin();
    for (const part of this.#takeControl()) writer.part(part);
    this.#send();
  }

  /** The connection is closed. */
  gone(): void {
    if (this.isGone) return;
    this.isGone = true;
    for (const subscription of this.subscriptions.values()) subscription.close();
    this.subscriptions.clear();
    this.#hub.leave(this);
  }

  /** True once it has taken nothing from its queue for too long. */
  isStuck(nowMs: number): boolean {
    return this.#peer.queuedBytes > 0 && nowMs - this.#progressAtMs > this.#hub.limits.slowMs;
  }

  /** Sends what is due, as far as the client keeps up. */
  flush(nowMs: number): void {
    if (this.isGone) return;
    const { limits, counts } = this.#hub;
    if (this.#peer.queuedBytes > limits.queueBytesMax) {
      counts.coalesced++;
      this.#isCutShort = true;
      return;
    }
    this.#isCutShort = false;
    this.#begin();
    let hasNews = this.#control.length > 0;
    for (const part of this.#takeControl()) writer.part(part);
    for (const subscription of this.subscriptions.values()) {
      if (subscription.dueAtMs > nowMs + DUE_SLACK_MS) continue;
      if (this.#write(subscription)) {
        hasNews = true;
        subscription.wasTold(nowMs);
      }
      if (this.#isCutShort) return;
    }
    if (hasNews) this.#send();
  }

  #begin(): void {
    writer.begin(this.#hub.storeMs(), this.#hub.following.tick);
  }

  #send(): void {
    const frame = writer.finish();
    const { counts } = this.#hub;
    counts.frames++;
    counts.bytes += frame.length;
    if (this.#peer.queuedBytes === 0) this.#progressAtMs = this.#hub.nowMs();
    this.#peer.send(frame, () => {
      this.#progressAtMs = this.#hub.nowMs();
      if (this.#isCutShort && !this.isGone) this.#hub.flushSoon(this);
    });
  }

  /** Answers whether anything was written. Ends early when the client's queue is full. */
  #write(subscription: Subscription): boolean {
    const { frameBytes, queueBytesMax } = this.#hub.limits;
    let hasNews = false;
    const scope = (): void => {
      if (!hasNews) writer.scope(subscription.id);
      hasNews = true;
    };
    if (subscription.gone.length > 0) {
      scope();
      writer.part(encodeCellsPart('gone', subscription.gone.sort(ascending)));
      subscription.gone = [];
    }
    for (const [cell, seat] of subscription.seats) {
      if (!subscription.hasNews(seat)) continue;
      const hadNews = hasNews;
      scope();
      const start = writer.length;
      const { face, base } = seat;
      if (base >= 0 && !face.leadsFrom(base)) this.#sayResync(cell);
      const updates = face.tell(writer, base);
      if (hadNews && writer.length > frameBytes) {
        // The frame is full without it: it begins the next one.
        const part = writer.takeFrom(start);
        writer.part(MORE);
        this.#send();
        if (this.#peer.queuedBytes > queueBytesMax) {
          this.#isCutShort = true;
          return true;
        }
        this.#begin();
        writer.scope(subscription.id).part(part);
      }
      told(seat);
      this.#hub.counts.updates += updates;
    }
    if (!subscription.isLive && subscription.isComplete) {
      scope();
      subscription.isLive = true;
      writer.part(encodeLivePart());
    }
    return hasNews;
  }

  #sayResync(cell: number): void {
    this.#hub.counts.resyncs++;
    writer.part(encodeCellsPart('resync', [cell]));
  }
}

/** A round that comes a little early is still the right one. */
const DUE_SLACK_MS = 10;

const ascending = (a: number, b: number): number => a - b;

function told(seat: Seat): void {
  seat.base = seat.face.version;
  seat.isTold = true;
}

function fault(
  code:
    | 'VIEW_VERSION'
    | 'WORLD_UNKNOWN'
    | 'SUBSCRIPTION_UNKNOWN'
    | 'LIMIT_EXCEEDED'
    | 'RATE_EXCEEDED',
  field: string,
  value: string | number,
  remedy: string,
): LeaseholdError {
  return new LeaseholdError(code, `${field} ${value}: ${WHY[code]}`, {
    field,
    value: String(value),
    remedy,
  });
}

const WHY = {
  VIEW_VERSION: 'is not a version of the view protocol that is spoken here',
  WORLD_UNKNOWN: 'is not served here',
  SUBSCRIPTION_UNKNOWN: 'is no number for that',
  LIMIT_EXCEEDED: 'is beyond the limit',
  RATE_EXCEEDED: 'changes a second is the limit',
} as const;
