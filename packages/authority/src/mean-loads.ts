/**
 * What pods have reported since it was last kept, in the mean: a moment says as much of a pause of one
 * pod as of the work that its cells are. A pod that had a cell for a part of that time has a part of it.
 */
import type { CellLoad } from '@leasehold/protocol';

type Sum = { tickMs: number; entities: number };

export class MeanLoads {
  readonly #pods = new Map<string, Map<number, Sum>>();
  #times = 0;

  add(reports: ReadonlyMap<string, readonly CellLoad[]>): void {
    this.#times++;
    for (const [pod, cells] of reports) {
      const sums = this.#pods.get(pod) ?? new Map<number, Sum>();
      this.#pods.set(pod, sums);
      for (const { cell, tickMs, entities } of cells) {
        const sum = sums.get(cell);
        if (sum === undefined) sums.set(cell, { tickMs, entities });
        else {
          sum.tickMs += tickMs;
          sum.entities += entities;
        }
      }
    }
  }

  /** By pod, in the order of cells; then begins anew. */
  take(): ReadonlyMap<string, CellLoad[]> {
    const times = Math.max(1, this.#times);
    const means = new Map<string, CellLoad[]>();
    for (const [pod, sums] of this.#pods) {
      const cells = [...sums].sort(([a], [b]) => a - b);
      const mean = ([cell, { tickMs, entities }]: [number, Sum]): CellLoad => ({
        ...{ cell, tickMs: tickMs / times, entities: entities / times },
      });
      means.set(pod, cells.map(mean));
    }
    this.#pods.clear();
    this.#times = 0;
    return means;
  }
}
