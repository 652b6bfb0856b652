/**
 * The way between one process and the store. Every call takes its time there and back, and the
 * faults of the run decide what becomes of it: nothing here knows what a call means.
 *
 * Like the real connection it answers `UNKNOWN`, or rejects, when no reply came in time; the call
 * itself may still arrive later, after others and after its sender's death.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { ServerClock } from '@leasehold/live-store';
import type { Refusal, Store, StoreStatus } from '@leasehold/protocol';
import type { CallName, TwinServer } from '@leasehold/twin-store';
import type { Host } from './host.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A reply later than this is an unknown outcome, as in the real store. */
const TIMEOUT_MS = 2_000;
/** A connection that says nothing for so much longer is given up. */
const SOCKET_MS = 1_000;
/** Calls of the real store are answered within this, on one machine. */
const LATENCY_MS = 0.4;

/** What becomes of one call. */
export type Fate = {
  requestMs: number;
  replyMs: number;
  isRequestLost: boolean;
  isReplyLost: boolean;
  /** The request arrives once more after so many ms. */
  againMs: number | undefined;
  /** The sender dies before it is sent, or when it has taken effect. */
  crash: 'before' | 'after' | undefined;
};

export type Sent = { readonly host: Host; readonly name: CallName };
export type CallFault = (sent: Sent, fate: Fate) => void;

export type Net = {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly server: TwinServer;
  readonly faults: readonly CallFault[];
  /** When the way to the store was last closed, while it is; undefined: it is open. */
  readonly closedSince: (host: Host) => number | undefined;
  /** True time of a process's last sign of life, by name; undefined while it is well. */
  readonly silentSince: (name: string) => number | undefined;
};

export class Wire {
  readonly #net: Net;
  readonly #host: Host;
  /** The connection, and one for what arrives when that is gone. */
  readonly #inner: Store;
  readonly #late: Store;
  readonly #clock: ServerClock;
  #openedAtMs = 0;

  constructor(net: Net, host: Host, open: (pod: string) => Store) {
    this.#net = net;
    this.#host = host;
    this.#inner = open(host.name);
    this.#late = open('');
    this.#clock = new ServerClock(() => host.nowMs());
  }

  /** The store as the process sees it. */
  get store(): Store {
    const inner = this.#inner;
    return {
      world: inner.world,
      incarnation: inner.incarnation,
      layer: inner.layer,
      nowMs: () => this.#clock.nowMs(),
      status: () => this.#status(),
      acquire: (of, dead) => this.#each('acquire', of.length, (to) => to.acquire(of, dead)),
      renew: (of, ttlMs) => this.#each('renew', of.length, (to) => to.renew(of, ttlMs)),
      commit: (of) => this.#each('commit', of.length, (to) => to.commit(of)),
      release: (of) => this.#each('release', of.length, (to) => to.release(of)),
      handover: (of, heir) => this.#each('handover', of.length, (to) => to.handover(of, heir)),
      revoke: (of) => this.#each('revoke', of.length, (to) => to.revoke(of)),
      post: (of) => this.#each('post', of.length, (to) => to.post(of)),
      inboxes: (of) => this.#read('inboxes', () => inner.inboxes(of)),
      heads: (of) => this.#each('heads', of.length, (to) => to.heads(of)),
      load: (of) => this.#read('load', () => inner.load(of)),
      channel: (cell, after) => this.#read('channel', () => inner.channel(cell, after)),
      locate: (id, cells) => this.#read('locate', () => inner.locate(id, cells)),
      near: (of, count) => this.#read('near', () => inner.near(of, count)),
      poll: (of, ms) => (of.length === 0 ? NONE : this.#read('poll', () => inner.poll(of, ms), ms)),
      barrier: () => this.#read('barrier', () => inner.barrier()),
      announce: (pod, pid, hear) => this.#announce(pod, pid, hear),
      report: (state, report) => this.#read('report', () => inner.report(state, report)),
      reportLoad: (cells) => this.#read('reportLoad', () => inner.reportLoad(cells)),
      plan: (layer) => this.#read('plan', () => inner.plan(layer)),
      pods: () => this.#pods(),
      connected: (pods) => this.#read('connected', () => inner.connected(pods)),
      notify: (pod, message) => this.#read('notify', () => inner.notify(pod, message)),
      clock: () => this.#read('clock', () => inner.clock()),
      setClock: (clock) => this.#read('setClock', () => inner.setClock(clock)),
      pinCut: (tick, forMs) => this.#read('pinCut', () => inner.pinCut(tick, forMs)),
      feed: (entry) => this.#read('feed', () => inner.feed(entry)),
      readFeed: (after) => this.#read('readFeed', () => inner.readFeed(after)),
      putSchema: (hash, json) => this.#read('putSchema', () => inner.putSchema(hash, json)),
      getSchema: (hash) => this.#read('getSchema', () => inner.getSchema(hash)),
      reserveIds: (cell, count) => this.#read('reserveIds', () => inner.reserveIds(cell, count)),
      noteWhereabouts: (of) => this.#read('noteWhereabouts', () => inner.noteWhereabouts(of)),
      whereabouts: (ids, layer) => this.#read('whereabouts', () => inner.whereabouts(ids, layer)),
      putAnswers: (of) => this.#read('putAnswers', () => inner.putAnswers(of)),
      answers: (ids) => this.#read('answers', () => inner.answers(ids)),
      addDeadLetters: (of) => this.#read('addDeadLetters', () => inner.addDeadLetters(of)),
      deadLetters: (count) => this.#read('deadLetters', () => inner.deadLetters(count)),
      dropDeadLetters: (ids) => this.#read('dropDeadLetters', () => inner.dropDeadLetters(ids)),
      schemas: () => this.#read('schemas', () => inner.schemas()),
      close: () => inner.close(),
    };
  }

  #status(): StoreStatus {
    const { time, closedSince } = this.#net;
    const status = this.#inner.status();
    const since = closedSince(this.#host);
    if (since !== undefined && time.nowMs - since > TIMEOUT_MS + SOCKET_MS) {
      // Made anew when the way is open again.
      this.#openedAtMs = Number.POSITIVE_INFINITY;
    } else if (this.#openedAtMs > time.nowMs) this.#openedAtMs = time.nowMs;
    const isConnected = status.isConnected && this.#openedAtMs <= time.nowMs;
    const forMs = Math.min(status.connectedForMs, time.nowMs - this.#openedAtMs);
    return { ...status, isConnected, connectedForMs: isConnected ? Math.max(0, forMs) : 0 };
  }

  #announce(pod: string, pid: number, hear: (message: string) => void): Promise<void> {
    const { time } = this.#net;
    const heard = (message: string): void => {
      if (this.#net.closedSince(this.#host) !== undefined) return;
      time.after(LATENCY_MS, () => this.#host.soon(() => hear(message)));
    };
    return this.#read('announce', () => this.#inner.announce(pod, pid, heard));
  }

  /** A process that does not run does not tell that it is there. */
  #pods(): ReturnType<Store['pods']> {
    const { time, silentSince } = this.#net;
    return this.#read('pods', async () => {
      const records = await this.#inner.pods();
      return records.map((record) => {
        const since = silentSince(record.pod);
        if (since === undefined) return record;
        return { ...record, seenAtMs: record.seenAtMs - (time.nowMs - since) };
      });
    });
  }

  /** A call with an answer for each item; none in time is `UNKNOWN` for each. */
  #each<R>(name: CallName, items: number, call: (to: Store) => Promise<R[]>): Promise<R[]> {
    if (items === 0) return Promise.resolve([]);
    const message = `no reply to ${name}`;
    const unknown = (): Refusal => ({ tag: 'UNKNOWN', message });
    // Every answer of these calls may be a refusal; the interface says so of each of them.
    const none = (): R[] => Array.from({ length: items }, unknown) as R[];
    return new Promise((resolve) => {
      this.#send(name, TIMEOUT_MS, {
        call: () => call(this.#inner.status().isConnected ? this.#inner : this.#late),
        reply: (replies) => resolve(replies ?? none()),
      });
    });
  }

  /** A call that rejects when it is not answered in time. */
  #read<R>(name: CallName, call: () => Promise<R>, waitMs = 0): Promise<R> {
    return new Promise((resolve, reject) => {
      const wrapped = async (): Promise<{ value: R } | undefined> => {
        try {
          return { value: await call() };
        } catch {
          return undefined;
        }
      };
      this.#send(name, TIMEOUT_MS + waitMs, {
        call: wrapped,
        reply: (found) => (found === undefined ? reject(broken(name)) : resolve(found.value)),
      });
    });
  }

  /** `reply` is told the answer once, or nothing when none came. */
  #send<R>(name: CallName, timeoutMs: number, on: Exchange<R>): void {
    const { time, trace, faults } = this.#net;
    const host = this.#host;
    if (host.isDead) return;
    const fate = fateOf();
    for (const fault of faults) fault({ host, name }, fate);
    if (fate.crash === 'before') {
      host.die();
      return;
    }
    const sentAtMs = host.nowMs();
    // A connection is to one server: what is on its way when that one is gone arrives nowhere.
    const { runId } = this.#net.server;
    const isGone = (): boolean => this.#net.server.runId !== runId;
    let isOver = false;
    const end = (replies: R | undefined): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      host.soon(() => on.reply(replies));
    };
    const cancel = time.after(timeoutMs, () => {
      trace.note('call', host.name, `${name} timed out`);
      end(undefined);
    });
    const arrive = async (isFirst: boolean): Promise<void> => {
      if (isGone()) return;
      const serverMs = this.#net.server.nowMs();
      const replies = await on.call();
      trace.call(host.name, isFirst ? name : `${name} again`);
      if (!isFirst) return;
      if (fate.crash === 'after') host.die();
      if (fate.isReplyLost) return;
      time.after(fate.replyMs, () => {
        if (!isGone()) host.soon(() => this.#clock.note(serverMs, sentAtMs));
        end(isGone() ? undefined : replies);
      });
    };
    if (!fate.isRequestLost) time.after(fate.requestMs, () => void arrive(true));
    if (fate.againMs !== undefined) time.after(fate.againMs, () => void arrive(false));
  }
}

type Exchange<R> = {
  /** Never rejects. */
  readonly call: () => Promise<R | undefined>;
  readonly reply: (replies: R | undefined) => void;
};

const NONE = Promise.resolve([]);

function fateOf(): Fate {
  return {
    requestMs: LATENCY_MS,
    replyMs: 0,
    isRequestLost: false,
    isReplyLost: false,
    againMs: undefined,
    crash: undefined,
  };
}

function broken(name: string): LeaseholdError {
  return new LeaseholdError('REDIS_UNREACHABLE', `no reply to ${name}`, {
    field: 'connection',
    value: name,
    remedy: 'Repeat the call when the store is connected again.',
  });
}
