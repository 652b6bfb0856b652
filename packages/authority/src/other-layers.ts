/** What happens in the layers besides that of home, whose authority decides what sleeps in all of them. */
import { gatherLoads, type Loads } from '@leasehold/plan';
import type { Interest, PlanStore } from '@leasehold/protocol';

export type OtherLayer = Pick<PlanStore, 'loads' | 'interests'>;

export class OtherLayers {
  readonly #layers: readonly OtherLayer[];
  readonly #cells: number;
  #loads: readonly Loads[] = [];
  #interests: readonly Interest[] = [];

  constructor(layers: readonly OtherLayer[], cells: number) {
    this.#layers = layers;
    this.#cells = cells;
  }

  get loads(): readonly Loads[] {
    return this.#loads;
  }

  get interests(): readonly Interest[] {
    return this.#interests;
  }

  async look(nowMs: number): Promise<void> {
    const [reports, interests] = await Promise.all([
      Promise.all(this.#layers.map((layer) => layer.loads())),
      Promise.all(this.#layers.map((layer) => layer.interests())),
    ]);
    this.#loads = reports.map((of, i) =>
      gatherLoads({ reports: of, cells: this.#cells, nowMs, last: this.#loads[i] }),
    );
    this.#interests = interests.flatMap((of) => [...of.values()]);
  }
}
