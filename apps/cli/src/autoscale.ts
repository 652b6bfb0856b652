/** As many pods as the authority wants, within bounds: what a cluster's autoscaler does, on one machine. */
import type { LiveRun } from './live-run.ts';
import type { ScaleBounds } from './options.ts';

/** Pods come fast, as they are missed, and go one by one, as each hands over first. */
const STARTS_MAX = 2;
const ASK_MS = 1_000;

export class Autoscaler {
  readonly #bounds: ScaleBounds;
  #nextMs = 0;

  constructor(bounds: ScaleBounds) {
    this.#bounds = bounds;
  }

  /** Starts or drains pods when it is time to look. */
  async tick(run: LiveRun): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + ASK_MS;
    for (const layer of run.layers) await this.#scale(run, layer);
  }

  async #scale(run: LiveRun, layer: string): Promise<void> {
    const scale = await run.authorities.scale(layer);
    if (scale === undefined) return;
    const { min, max } = this.#bounds;
    const wanted = Math.min(max, Math.max(min, scale.podsWanted));
    const running = run.fleet.running.filter((pod) => pod.layer === layer);
    const alive = run.fleet.alive.filter((pod) => pod.layer === layer);
    for (let i = running.length; i < Math.min(wanted, running.length + STARTS_MAX); i++) {
      run.noteScaling(run.fleet.start(layer).name, 'started', scale.why);
    }
    if (running.length <= wanted) return;
    const entities = (report: Readonly<Record<string, number>>): number => report['entities'] ?? 0;
    const [least] = [...running].sort((a, b) => entities(a.report) - entities(b.report));
    if (least === undefined || alive.length > running.length) return;
    run.noteScaling(least.name, 'drained', scale.why);
    void run.fleet.drain(least);
  }
}
