/** What a layer's pods say of their load and what its authority wrote, as the twin's server has it. */
import { type CellLoad, encodeCellLoads, type Plan, parsePlan } from '@leasehold/protocol';

export type PlanRecord = {
  /** '' = there is none. */
  json: string;
  /** By pod, as bytes, so that what is read is what a real server would give. */
  readonly loads: Map<string, Uint8Array>;
};

export function newPlanRecord(): PlanRecord {
  return { json: '', loads: new Map() };
}

/** Reads a plan once, as long as it is the same. */
export class PlanReader {
  #json = '';
  #plan: Plan | undefined;

  read({ json }: PlanRecord): Plan | undefined {
    if (json === this.#json) return this.#plan;
    this.#plan = json === '' ? undefined : parsePlan(json);
    this.#json = json;
    return this.#plan;
  }
}

export function keepLoads(record: PlanRecord, pod: string, loads: readonly CellLoad[]): void {
  record.loads.set(pod, encodeCellLoads(loads));
}
