/**
 * What lies between a store and the server of a lane: replies that get lost, calls that arrive
 * twice or late, and replicas whose state is the last copy that was kept.
 */
import { Link, type Outcome, type Request } from '@leasehold/live-store/link';
import type { Lane } from './lane.ts';

/** `lost`: done, not answered. `twice`: the second answer counts. `late`: arrives later. */
export type WireFault = 'lost' | 'twice' | 'late' | 'unsent';

/**
 * A store's connection. Many share the one connection of their lane, so that a store is made
 * without a round trip; what it knows of the server is what the lane says.
 */
export class ModelLink extends Link {
  readonly #lane: Lane;

  constructor(options: ConstructorParameters<typeof Link>[0], lane: Lane) {
    super(options);
    this.#lane = lane;
    this.meet(lane.run);
  }

  /** Another server answers from here on. */
  meet(run: number): void {
    this.connection = run;
    this.runId = `run-${run}`;
  }

  override get isConnected(): boolean {
    return true;
  }

  override get replicas(): number {
    return this.#lane.replicas;
  }

  override async open(): Promise<void> {}
  override async refresh(): Promise<void> {}
  override async close(): Promise<void> {}

  override exec(requests: readonly Request[], replyAs: 'text' | 'bytes' = 'text') {
    return this.#lane.exec(requests, replyAs);
  }

  override stream(requests: Iterable<Request>): Promise<Outcome[]> {
    return this.exec([...requests]);
  }
}

export const gone = (): Outcome => ({ error: new Error('the connection was lost') });
