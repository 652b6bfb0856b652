/**
 * Who is alive, as one pod sees it. A pod is dead when its connection to the store is closed; it is
 * silent when it stopped reporting. After a failover every connection closes, so pods that were
 * alive just before are spared: the living must get to heal the store first (L5).
 */
import type { PodRecord, Store } from '@leasehold/protocol';
import {
  CONNECTED_MIN_MS,
  REPORT_MS,
  RETURN_MS_MAX,
  SETTLED_MS,
  SILENT_MS,
  SPARE_MS,
  STARTING_LOOK_MS,
} from './settings.ts';

/** How long a pod must have been without a connection to be called dead. */
const ABSENT_MIN_MS = 20;
/** Names sent with an acquisition; the store takes a few more. */
const DEAD_MAX = 64;

export class Roster {
  readonly #store: Store;
  readonly #self: string;
  #records: readonly PodRecord[] = [];
  readonly #absentMs = new Map<string, number>();
  #asked: ReadonlySet<string> = new Set();
  #connected: ReadonlySet<string> = new Set();
  /** Pods seen connected, with the server run they were seen on. */
  readonly #seen = new Map<string, { readonly runId: string; readonly sinceMs: number }>();
  /** Pods that have said that they are leaving, until their records say so. */
  readonly #leavingUntilMs = new Map<string, number>();
  /** Members when this was asked last. */
  #been: ReadonlySet<string> = new Set();
  /** Who was connected to the server before this one, and has not been heard of on this one. */
  readonly #awaited = new Set<string>();
  /** The store's time at the last look at this server, and at the one before. */
  #lookedAtMs = 0;
  #awaySinceMs = 0;
  #runId = '';
  #runSinceMs = 0;
  #nextListMs = 0;

  constructor(store: Store, self: string) {
    this.#store = store;
    this.#self = self;
  }

  get records(): readonly PodRecord[] {
    return this.#records;
  }

  /**
   * Reads who is there. `holders` are pods that hold something wanted, known or not. `listEveryMs`:
   * how long a list of pods is good for.
   */
  async look(nowMs: number, holders: Iterable<string>, listEveryMs = REPORT_MS): Promise<void> {
    const status = this.#store.status();
    if (status.runId !== this.#runId) {
      this.#runId = status.runId;
      this.#runSinceMs = nowMs;
      this.#awaySinceMs = this.#lookedAtMs;
      this.#nextListMs = nowMs;
      for (const pod of this.#connected) this.#awaited.add(pod);
    }
    if (nowMs >= this.#nextListMs) {
      this.#records = await this.#store.pods();
      const everyMs = this.isAwaiting ? Math.min(STARTING_LOOK_MS, listEveryMs) : listEveryMs;
      this.#nextListMs = nowMs + everyMs;
    }
    const asked = new Set(holders);
    for (const { pod } of this.#records) asked.add(pod);
    for (const pod of this.#awaited) asked.add(pod);
    this.#connected = await this.#store.connected([...asked]);
    this.#asked = asked;
    // L5: a pod may be connected before it can call, and cannot extend its leases yet.
    for (const { pod, seenAtMs } of this.#records) {
      const isBack = this.#connected.has(pod) && seenAtMs > this.#awaySinceMs;
      if (isBack) this.#awaited.delete(pod);
    }
    if (nowMs > this.#runSinceMs + RETURN_MS_MAX) this.#awaited.clear();
    for (const pod of asked) {
      if (this.#connected.has(pod)) this.#absentMs.delete(pod);
      else if (!this.#absentMs.has(pod)) this.#absentMs.set(pod, nowMs);
    }
    for (const pod of this.#absentMs.keys()) if (!asked.has(pod)) this.#absentMs.delete(pod);
    for (const pod of this.#connected) this.#seen.set(pod, { runId: this.#runId, sinceMs: nowMs });
    for (const [pod, { sinceMs }] of this.#seen) {
      if (sinceMs < nowMs - SPARE_MS) this.#seen.delete(pod);
    }
    for (const [pod, untilMs] of this.#leavingUntilMs) {
      if (untilMs < nowMs) this.#leavingUntilMs.delete(pod);
    }
    this.#lookedAtMs = this.#store.nowMs();
  }

  /** L5: seen alive on the run before this one, and that was not long ago. */
  #isSpared(pod: string, nowMs: number): boolean {
    const seen = this.#seen.get(pod);
    return seen !== undefined && seen.runId !== this.#runId && nowMs < this.#runSinceMs + SPARE_MS;
  }

  /** Pods that were here on this run of the server and are gone now. */
  dead(nowMs: number): string[] {
    const dead: string[] = [];
    for (const pod of this.#asked) if (this.isDead(pod, nowMs)) dead.push(pod);
    return dead.slice(0, DEAD_MAX);
  }

  /** Certainly gone, so its leases may be ended: safe to be wrong, and never wrong in a hurry. */
  isDead(pod: string, nowMs: number): boolean {
    if (pod === this.#self || !this.#asked.has(pod) || this.#connected.has(pod)) return false;
    if (this.#store.status().connectedForMs < CONNECTED_MIN_MS) return false;
    // Two looks: a living pod whose connection broke is back before the second.
    if (nowMs - (this.#absentMs.get(pod) ?? nowMs) < ABSENT_MIN_MS) return false;
    return !this.#isSpared(pod, nowMs);
  }

  /** Ready, connected and heard of lately; of this pod itself, always. '' is nobody. */
  isHere(pod: string, nowMs: number): boolean {
    if (pod === this.#self) return true;
    const record = this.#records.find((other) => other.pod === pod);
    return record !== undefined && this.#isReady(record, nowMs);
  }

  noteLeaving(pod: string, nowMs: number): void {
    this.#leavingUntilMs.set(pod, nowMs + 2 * REPORT_MS);
  }

  #isReady({ pod, state, seenAtMs }: PodRecord, nowMs: number): boolean {
    if (state !== 'ready' || nowMs < (this.#leavingUntilMs.get(pod) ?? 0)) return false;
    const isHeard = seenAtMs > this.#store.nowMs() - SILENT_MS;
    return (this.#connected.has(pod) && isHeard) || this.#isSpared(pod, nowMs);
  }

  /**
   * Somebody was connected and is not: in so long a look shows whether it has come back. 0 = nobody is
   * in doubt.
   */
  inDoubtForMs(nowMs: number): number {
    let forMs = 0;
    for (const [pod, sinceMs] of this.#absentMs) {
      if (this.#seen.has(pod)) forMs = Math.max(forMs, sinceMs + ABSENT_MIN_MS - nowMs);
    }
    return forMs;
  }

  /**
   * L5: the server is another, or was away, and not everybody is back. Their leases may have run out
   * meanwhile, as nobody could extend them: for a while nothing is taken.
   */
  get isAwaiting(): boolean {
    return this.#awaited.size > 0;
  }

  /**
   * Pods that should have blocks now: connected, ready, heard of lately, and here long enough to
   * end the leases of the dead. Where nobody has been, all who came with the oldest; they stay when
   * it has been here long enough, if they have got anything. A cordoned pod is to get nothing, and
   * what it has is claimed in vain for as long as it lives. This pod thinks of itself likewise,
   * unless it is leaving or cordoned: then these are the others.
   */
  members(nowMs: number, isLeaving = false): string[] {
    const storeMs = this.#store.nowMs();
    const ready = this.#records.filter((record) =>
      record.pod === this.#self
        ? !isLeaving
        : this.#isReady(record, nowMs) && record.report['cordoned'] !== 1,
    );
    const oldestMs = Math.min(...ready.map(({ startedAtMs }) => startedAtMs));
    const isYoung = oldestMs > storeMs - SETTLED_MS;
    const members = ready
      .filter(({ pod, startedAtMs, report }) => {
        if (startedAtMs <= storeMs - SETTLED_MS || this.#been.has(pod)) return true;
        const hasCome = startedAtMs <= oldestMs + SETTLED_MS;
        return hasCome && (isYoung || (report['cells'] ?? 0) > 0);
      })
      .map(({ pod }) => pod);
    if (!isLeaving) this.#been = new Set(members);
    return members.length > 0 || isLeaving ? members : [this.#self];
  }
}
