/**
 * Which pods a plan may name. A pod whose connection is closed has its standby, so there is no
 * hurry to plan without it: after a failover every connection closes, and all are back in a moment.
 */
import type { PlanPod } from '@leasehold/plan';
import type { PlanStore, PodOrder, PodRecord } from '@leasehold/protocol';

/** A pod without a connection, or that says nothing, is gone after this time. */
const GONE_MS = 2_000;
/** A pod that has come gets something when it has been here so long, unless all are new. */
const SETTLED_MS = 2_000;

export class Company {
  readonly #store: PlanStore;
  readonly #heardMs = new Map<string, number>();
  #known: ReadonlySet<string> = new Set();

  constructor(store: PlanStore) {
    this.#store = store;
  }

  /** Those that live, by name. `planned`: whom the plan in force names. */
  async look(planned: ReadonlySet<string>): Promise<PlanPod[]> {
    const [records, orders] = await Promise.all([this.#store.pods(), this.#store.orders()]);
    const connected = await this.#store.connected(records.map(({ pod }) => pod));
    const nowMs = this.#store.nowMs();
    for (const { pod, seenAtMs } of records) {
      if (connected.has(pod)) this.#heardMs.set(pod, seenAtMs);
      // Whoever led before has seen it; how long it has been away is known from now on.
      else if (!this.#heardMs.has(pod) && planned.has(pod)) this.#heardMs.set(pod, nowMs);
    }
    for (const [pod, atMs] of this.#heardMs) if (atMs < nowMs - GONE_MS) this.#heardMs.delete(pod);
    const here = records.filter(({ pod }) => this.#heardMs.has(pod));
    const isYoung = here.every(({ startedAtMs }) => startedAtMs > nowMs - SETTLED_MS);
    const pods = here
      .filter(({ pod, startedAtMs }) => {
        if (isYoung || startedAtMs <= nowMs - SETTLED_MS) return true;
        return this.#known.has(pod) || planned.has(pod);
      })
      .map((record) => planPod(record, orders.get(record.pod) ?? ''))
      .sort((a, b) => (a.pod < b.pod ? -1 : 1));
    this.#known = new Set(pods.map(({ pod }) => pod));
    return pods;
  }
}

function planPod({ pod, state }: PodRecord, order: PodOrder): PlanPod {
  if (state === 'draining' || order === 'drain') return { pod, state: 'draining' };
  return { pod, state: order === 'cordon' ? 'cordoned' : 'ready' };
}
