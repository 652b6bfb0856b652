/**
 * How the page itself does: the work of the main thread per frame, frames per second, how late the
 * world arrives. Tests and people at the console read it as `window.leaseholdMeter`.
 */
const FRAMES_MAX = 600;

/** Main-thread work of the last frames, in milliseconds. */
export class FrameMeter {
  readonly #workMs = new Float64Array(FRAMES_MAX);
  readonly #sorted = new Float64Array(FRAMES_MAX);
  readonly #atMs = new Float64Array(FRAMES_MAX);
  #frames = 0;

  /** PERF: called each frame; allocates nothing. */
  add(atMs: number, workMs: number): void {
    const slot = this.#frames++ % FRAMES_MAX;
    this.#workMs[slot] = workMs;
    this.#atMs[slot] = atMs;
  }

  get count(): number {
    return Math.min(this.#frames, FRAMES_MAX);
  }

  /** 0 before the first frame. */
  get p95Ms(): number {
    const { count } = this;
    if (count === 0) return 0;
    const sorted = this.#sorted.subarray(0, count);
    sorted.set(this.#workMs.subarray(0, count));
    sorted.sort();
    return sorted[Math.min(count - 1, Math.floor(count * 0.95))]!;
  }

  /** Over the second before `nowMs`. */
  fps(nowMs: number): number {
    let frames = 0;
    for (let i = 0; i < this.count; i++) if (nowMs - this.#atMs[i]! < 1_000) frames++;
    return frames;
  }

  clear(): void {
    this.#frames = 0;
  }
}

/** What `window.leaseholdMeter` is. Every field is current whenever it is read. */
export type Meter = {
  /** 95th percentile of main-thread work per frame, over the last 600 frames. */
  readonly frameMsP95: number;
  readonly fps: number;
  /** From the moment a tick was due to its arrival here. */
  readonly latencyMs: number;
  /** In the subscribed area. */
  readonly entities: number;
  readonly tick: number;
  /** Received bytes per entity update over the last seconds, states included. */
  readonly bytesPerUpdate: number;
  /** Darts and dots that the last frame drew. */
  readonly drawn: number;
  /** And of a snapshot, where one is shown. */
  readonly drawnPast: number;
  readonly reconnects: number;
  /** Forgets the frames so far, to measure from here on. */
  clear(): void;
};
