/**
 * A view: keeps one connection to one of its gateways, hands the parts of frames to whom they
 * concern, and tells listeners once the whole of a frame is applied.
 */
import { faultReport, LeaseholdError } from '@leasehold/kernel';
import {
  CLOSE,
  type ClientMessage,
  type FeedItem,
  type FramePart,
  FrameReader,
  type JournalItem,
  PART,
  readCells,
  readHolders,
  readPlan,
  readScope,
  readTime,
  VIEW_PROTOCOL,
  type Welcome,
} from '@leasehold/protocol/view';
import { Backoff } from './backoff.ts';
import { readAnswer, readFeedItem, readJournalItem, readStatus, readWelcome } from './checked.ts';
import { Deadline } from './clock.ts';
import { Connection } from './connection.ts';
import { Emitter } from './emitter.ts';
import { Latency } from './latency.ts';
import { LiveSubscription } from './live-subscription.ts';
import type { Settings } from './options.ts';
import { RenderClock } from './render-clock.ts';
import { readSnapshots } from './snapshots.ts';
import type { Fault, Snapshot, SubscribeOptions, View, ViewEvents, ViewState } from './types.ts';

/** A connection that held this long was good; the next failure is a first one. */
const STABLE_MS = 3_000;
const IDS_MAX = 65_535;
/** Retrying changes neither the build of this client nor the world a gateway serves. */
const HOPELESS: readonly number[] = [CLOSE.VIEW_VERSION, CLOSE.WORLD_UNKNOWN];
/** The client was sent away for what it did. */
const BLAMED: readonly number[] = [
  CLOSE.VIEW_MESSAGE_INVALID,
  CLOSE.RATE_EXCEEDED,
  CLOSE.LIMIT_EXCEEDED,
];

export class LiveView implements View {
  state: ViewState = 'connecting';
  welcome: Welcome | undefined;
  tick = 0;
  frames = 0;
  bytes = 0;
  updates = 0;
  badFrames = 0;
  reconnects = 0;
  readonly #settings: Settings;
  readonly #events: Emitter<ViewEvents>;
  readonly #backoff: Backoff;
  readonly #retry: Deadline;
  readonly #stable: Deadline;
  readonly #latency = new Latency();
  readonly #renderClock = new RenderClock();
  readonly #subscriptions = new Map<number, LiveSubscription>();
  #connection: Connection | undefined;
  /** Whether the gateway of this connection has welcomed us. */
  #isWelcome = false;
  /** The last frame ended in the middle of a telling. */
  #isMoreToCome = false;
  #wantsStatus = false;
  #nextId = 1;
  /** Connections that failed since the last welcome. */
  #failures = 0;
  /** What the gateway had against this connection. */
  #refusal: Fault | undefined;
  /** Events of the frame that is being applied. */
  #told: (() => void)[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#events = new Emitter((error) => this.#threw(error));
    this.#backoff = new Backoff(settings);
    this.#retry = new Deadline(settings.clock);
    this.#stable = new Deadline(settings.clock);
    // Later, so that whoever connects can listen first.
    this.#retry.set(0, () => this.#connect());
  }

  get url(): string {
    return this.#backoff.url;
  }

  get latencyMs(): number {
    return this.#latency.ms;
  }

  on<E extends keyof ViewEvents>(event: E, hear: (value: ViewEvents[E]) => void): () => void {
    return this.#events.on(event, hear);
  }

  subscribe(options: SubscribeOptions): LiveSubscription {
    if (this.state === 'closed') throw closedFault();
    const { clock, delayTicks } = this.#settings;
    const view = this;
    const subscription = new LiveSubscription(this.#freeId(), options, {
      clock,
      delayTicks,
      renderClock: this.#renderClock,
      get welcome() {
        return view.#isWelcome ? view.welcome : undefined;
      },
      send: (message) => this.#send(message),
      countUpdates: (count) => {
        this.updates += count;
      },
      threw: (error) => this.#threw(error),
      closed: ({ id }) => this.#subscriptions.delete(id),
    });
    this.#subscriptions.set(subscription.id, subscription);
    // Later, so that whoever subscribes can listen first.
    queueMicrotask(() => subscription.begin());
    return subscription;
  }

  #freeId(): number {
    while (this.#subscriptions.has(this.#nextId)) this.#nextId = (this.#nextId % IDS_MAX) + 1;
    const id = this.#nextId;
    this.#nextId = (id % IDS_MAX) + 1;
    return id;
  }

  snapshots(): Promise<readonly Snapshot[]> {
    return readSnapshots(this.url);
  }

  status(on: boolean): void {
    this.#wantsStatus = on;
    if (this.#isWelcome) this.#send({ type: 'status', on });
  }

  close(): void {
    if (this.state === 'closed') return;
    for (const subscription of [...this.#subscriptions.values()]) subscription.close();
    this.#end();
  }

  #end(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#isWelcome = false;
    this.#retry.clear();
    this.#stable.clear();
    this.#become('closed');
  }

  #become(state: ViewState): void {
    if (this.state === state) return;
    this.state = state;
    this.#events.emit('state', state);
  }

  #threw(error: unknown): void {
    const { code, message, ...detail } = faultReport(error);
    const told: Fault = { code, message: `a listener threw: ${message}`, ...detail };
    // A listener of faults that throws is told nothing more: it would go on for ever.
    if (this.#isTellingThrow) return;
    this.#isTellingThrow = true;
    this.#events.emit('error', told);
    this.#isTellingThrow = false;
  }
  #isTellingThrow = false;

  #send(message: ClientMessage): void {
    this.#connection?.send(message);
  }

  #connect(): void {
    const { WebSocket, clock, world } = this.#settings;
    const { url } = this;
    this.#connection = new Connection({
      url,
      WebSocket,
      clock,
      opened: () => {
        this.#send({ type: 'hello', protocol: VIEW_PROTOCOL, world });
        this.#events.emit('open', { url });
      },
      frame: (bytes) => this.#hear(bytes),
      garbage: (problem) => this.#refuse(problem),
      closed: (code, reason) => this.#lost(code, reason),
    });
  }

  #lost(code: number, reason: string): void {
    const wasWelcome = this.#isWelcome;
    const refusal = this.#refusal;
    this.#connection = undefined;
    this.#isWelcome = false;
    this.#refusal = undefined;
    this.#stable.clear();
    for (const subscription of this.#subscriptions.values()) subscription.pause();
    const isHopeless = HOPELESS.includes(code);
    if (isHopeless) {
      if (refusal === undefined) this.#events.emit('error', refusalOf(code, reason, this.url));
      this.#end();
      this.#events.emit('close', { code, reason, willRetry: false, retryInMs: 0 });
      return;
    }
    if (BLAMED.includes(code)) this.#backoff.blame();
    if (wasWelcome) this.#failures = 0;
    else this.#failures++;
    const { url } = this;
    const retryInMs = this.#backoff.fail();
    this.#retry.set(retryInMs, () => this.#connect());
    if (this.welcome !== undefined) this.#become('waiting');
    this.#events.emit('close', { code, reason, willRetry: true, retryInMs });
    if (this.#failures === this.#settings.urls.length) {
      this.#events.emit('error', unreachable(this.#settings.urls, url));
    }
  }

  /** The gateway said what makes no sense: another connection begins anew. */
  #refuse(problem: string): void {
    this.badFrames++;
    const connection = this.#connection;
    connection?.close(CLOSE.VIEW_MESSAGE_INVALID, 'bad frame');
    this.#events.emit('error', {
      code: 'BODY_MALFORMED',
      message: `${this.url} sent what is no frame: ${problem}`,
      field: 'frame',
      value: problem,
      remedy:
        'The connection is made again; if it happens again, compare the builds of both sides.',
    });
    if (connection === this.#connection) this.#lost(CLOSE.VIEW_MESSAGE_INVALID, 'bad frame');
  }

  #hear(bytes: Uint8Array): void {
    const arrivalMs = this.#settings.clock.nowMs();
    this.frames++;
    this.bytes += bytes.length;
    let problem: string | undefined;
    try {
      this.#apply(new FrameReader(bytes), arrivalMs);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    // What was applied before the fault is true, and is told.
    for (const tell of this.#told.splice(0)) tell();
    if (!this.#isMoreToCome || problem !== undefined) {
      for (const subscription of [...this.#subscriptions.values()]) subscription.finish();
    }
    if (problem !== undefined && this.state !== 'closed') this.#refuse(problem);
  }

  #apply(reader: FrameReader, arrivalMs: number): void {
    if (this.#isWelcome) {
      this.tick = Math.max(this.tick, reader.tick);
      this.#renderClock.hear(reader.tick, arrivalMs);
    }
    const feed: FeedItem[] = [];
    const journal: JournalItem[] = [];
    let subscription: LiveSubscription | undefined;
    this.#isMoreToCome = false;
    for (let part = reader.next(); part !== undefined; part = reader.next()) {
      if (part.kind === PART.more) this.#isMoreToCome = true;
      else if (part.kind === PART.scope)
        subscription = this.#subscriptions.get(readScope(part.body));
      else if (part.kind === PART.feed) feed.push(readFeedItem(part.body));
      else if (part.kind === PART.journal) journal.push(readJournalItem(part.body));
      else if (part.kind < PART.scope || part.kind === PART.plan)
        this.#applyOwn(part, reader.tick, arrivalMs);
      else if (subscription !== undefined) applyCells(part, subscription, arrivalMs);
    }
    if (feed.length > 0) this.#told.push(() => this.#events.emit('feed', feed));
    if (journal.length > 0) this.#told.push(() => this.#events.emit('journal', journal));
    this.#latency.hearFrame(reader.storeMs, reader.tick, arrivalMs);
  }

  #applyOwn({ kind, body }: FramePart, tick: number, arrivalMs: number): void {
    const tell = <E extends keyof ViewEvents>(event: E, value: ViewEvents[E]) =>
      this.#told.push(() => this.#events.emit(event, value));
    if (kind === PART.welcome) {
      this.#greeted(readWelcome(body), tick, arrivalMs);
    } else if (kind === PART.time) {
      const time = readTime(body);
      this.#latency.hearTime(time);
      this.#renderClock.setRate(time.rateHz, {
        isPaused: time.isPaused || time.rateHz === 0,
        isLockstep: time.isLockstep,
      });
      tell('time', time);
    } else if (kind === PART.holders || kind === PART.plan) {
      const grid = this.welcome?.grid;
      if (grid === undefined) return;
      if (kind === PART.plan) tell('plan', readPlan(body, grid));
      else tell('holders', readHolders(body, grid.columns * grid.rows));
    } else if (kind === PART.status) tell('status', readStatus(body));
    else if (kind === PART.answer) {
      const answer = readAnswer(body);
      const subscription = answer.id === undefined ? undefined : this.#subscriptions.get(answer.id);
      if (subscription !== undefined) subscription.hear(answer);
      else if (!answer.ok && answer.id === undefined) {
        const { code, message, field, value, remedy } = answer;
        this.#refusal = { code, message, field, value, remedy };
        tell('error', this.#refusal);
      }
    }
  }

  #greeted(welcome: Welcome, tick: number, arrivalMs: number): void {
    if (welcome.protocol !== VIEW_PROTOCOL) {
      this.#told.push(() => {
        this.#connection?.close();
        this.#lost(CLOSE.VIEW_VERSION, 'VIEW_VERSION');
      });
      return;
    }
    const known = this.welcome;
    const isBack = known !== undefined;
    if (known?.world !== welcome.world || known.incarnation !== welcome.incarnation) {
      this.#renderClock.reset();
      this.tick = 0;
    }
    if (isBack) this.reconnects++;
    this.welcome = welcome;
    this.#isWelcome = true;
    this.#failures = 0;
    this.#latency.reset();
    this.#renderClock.setRate(welcome.tickHz, { isLockstep: welcome.mode === 'lockstep' });
    this.tick = Math.max(this.tick, tick);
    if (tick > 0) this.#renderClock.hear(tick, arrivalMs);
    this.#stable.set(STABLE_MS, () => this.#backoff.succeed());
    if (this.#wantsStatus) this.#send({ type: 'status', on: true });
    for (const subscription of this.#subscriptions.values()) subscription.begin();
    this.#told.push(
      () => this.#become('open'),
      () => this.#events.emit('welcome', welcome),
    );
  }
}

function applyCells({ kind, body }: FramePart, to: LiveSubscription, arrivalMs: number): void {
  if (kind === PART.state) to.state(body, arrivalMs);
  else if (kind === PART.delta) to.delta(body, arrivalMs);
  else if (kind === PART.gone) to.gone(readCells(body));
  else if (kind === PART.resync) to.resync(readCells(body));
  else if (kind === PART.live) to.live();
}

function unreachable(urls: readonly string[], url: string): Fault {
  const error = new LeaseholdError('GATEWAY_UNREACHABLE', `no gateway answers at ${url}`, {
    field: 'url',
    value: urls.join(', '),
    remedy: 'Start one, or give the address of one that runs; it is tried again until then.',
  });
  return faultReport(error);
}

function refusalOf(code: number, reason: string, url: string): Fault {
  const isVersion = code === CLOSE.VIEW_VERSION;
  const error = new LeaseholdError(
    isVersion ? 'VIEW_VERSION' : 'WORLD_UNKNOWN',
    isVersion ? `${url} speaks another version` : `${url} serves another world`,
    {
      field: isVersion ? 'protocol' : 'world',
      value: isVersion ? String(VIEW_PROTOCOL) : reason,
      remedy: isVersion
        ? 'Use a client and a gateway of the same release.'
        : 'Ask for the world that the gateway serves, or connect to another gateway.',
    },
  );
  return faultReport(error);
}

function closedFault(): LeaseholdError {
  return new LeaseholdError('SETTING_INVALID', 'a closed view takes no subscription', {
    field: 'view',
    value: 'closed',
    remedy: 'Connect again.',
  });
}
