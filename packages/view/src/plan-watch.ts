/**
 * The plan of the authority, if there is one, as this gateway knows it: read twice a second for
 * whoever goes by it here, and kept while the store cannot be asked.
 */
import type { Clock, Log } from '@leasehold/kernel';
import type { Plan, Store } from '@leasehold/protocol';

/** PERF: mostly one small answer, as the store reads the plan's body only when it changed. */
const LOOK_MS = 500;

export type PlanWatchParts = {
  readonly store: Pick<Store, 'plan'>;
  readonly clock: Clock;
  readonly log: Log;
};

type Hearer = (plan: Plan | undefined) => void;

export class PlanWatch {
  readonly #parts: PlanWatchParts;
  readonly #stop = new AbortController();
  readonly #hearers = new Set<Hearer>();
  #plan: Plan | undefined;
  #isRead = false;
  #fault = '';
  #looking: Promise<void> | undefined;

  constructor(parts: PlanWatchParts) {
    this.#parts = parts;
  }

  /** In force, as far as is known; undefined = there is none, or nothing was read yet. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** Whether the store was asked with success at least once. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /**
   * Told of each plan that comes into force, the first included, and `undefined` when there is none
   * any more. The answer ends it. A hearer must not throw.
   */
  onChange(hear: Hearer): () => void {
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  start(): void {
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#stop.signal.aborted) {
      await this.#once();
      await clock.sleep(LOOK_MS, this.#stop.signal);
    }
  }

  async #once(): Promise<void> {
    let plan: Plan | undefined;
    try {
      plan = await this.#parts.store.plan();
    } catch (error) {
      this.#tellFault(error);
      return;
    }
    this.#fault = '';
    this.#isRead = true;
    if (plan === this.#plan || this.#stop.signal.aborted) return;
    this.#plan = plan;
    for (const hear of [...this.#hearers]) hear(plan);
  }

  /** Once for each: a plan that cannot be read stays there until another is written. */
  #tellFault(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#fault) return;
    this.#fault = message;
    this.#parts.log.debug({ err: error }, 'the plan cannot be read now');
  }
}
