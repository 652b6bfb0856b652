/**
 * Which tick it is, smoothly, from when frames arrive. Frames are late by chance and never early,
 * so the earliest arrival of a while tells the truth; corrections are slewed, because a jump of the
 * clock would be a jump of everything on the screen.
 */
import { SlidingMinimum } from './sliding-minimum.ts';

const WINDOW_MS = 3_000;
/** Beyond this the clock is set, not slewed: the world was paused, or the gateway away. */
const JUMP_MS = 2_000;
/** Least and greatest correction per millisecond; below 1, so that time never goes back. */
const SLEW_MIN = 0.05;
const SLEW_MAX = 0.5;
/** A lockstep world has no rate: how fast the clock follows what is seen. */
const FOLLOW_MS = 250;

export class RenderClock {
  /** Rises when the clock was set rather than slewed. */
  jumps = 0;
  /** The newest tick heard of; −1 before the first. */
  newest = -1;
  /** Time stands still after the newest tick: the world is paused, or waits for its ticks. */
  isHeld = false;
  tickMs = 50;
  readonly #offsets = new SlidingMinimum(WINDOW_MS);
  #offset = Number.NaN;
  #isLockstep = false;
  #tick = Number.NaN;
  #atMs = Number.NaN;
  #arrivalMs = Number.NaN;

  /** Another world, or another incarnation: nothing of before counts. */
  reset(): void {
    this.newest = -1;
    this.#offsets.clear();
    this.#offset = Number.NaN;
    this.#tick = Number.NaN;
    this.#arrivalMs = Number.NaN;
  }

  /** What is known of the world's time. */
  setRate(rateHz: number, { isPaused = false, isLockstep = false } = {}): void {
    this.isHeld = isPaused || isLockstep;
    this.#isLockstep = isLockstep;
    if (isLockstep || !(rateHz > 0) || 1000 / rateHz === this.tickMs) return;
    this.tickMs = 1000 / rateHz;
    this.#offsets.clear();
    // The same tick at the same moment, at another pace from here on.
    this.#offset = this.#atMs - this.#tick * this.tickMs;
  }

  /** A frame with this tick has arrived. */
  hear(tick: number, arrivalMs: number): void {
    if (tick <= this.newest) return;
    if (this.#isLockstep && this.newest >= 0) {
      const observedMs = (arrivalMs - this.#arrivalMs) / (tick - this.newest);
      this.tickMs += 0.2 * (Math.min(observedMs, 1_000) - this.tickMs);
    }
    this.newest = tick;
    this.#arrivalMs = arrivalMs;
    if (!this.#isLockstep) this.#offsets.add(arrivalMs - tick * this.tickMs, arrivalMs);
  }

  /** The tick at a moment, with a fraction; NaN before the first frame. */
  at(nowMs: number): number {
    if (this.newest < 0) return Number.NaN;
    const passedMs = nowMs > this.#atMs ? nowMs - this.#atMs : 0;
    this.#tick = this.#isLockstep ? this.#followed(nowMs, passedMs) : this.#slewed(nowMs, passedMs);
    this.#atMs = nowMs;
    return this.#tick;
  }

  #slewed(nowMs: number, passedMs: number): number {
    const least = this.#offsets.value;
    const target = Number.isFinite(least) ? least : this.#offset;
    const off = target - this.#offset;
    if (!(Math.abs(off) <= JUMP_MS)) {
      this.#offset = target;
      this.jumps++;
    } else {
      const pace = Math.min(SLEW_MAX, Math.max(SLEW_MIN, Math.abs(off) / JUMP_MS));
      this.#offset += Math.sign(off) * Math.min(Math.abs(off), passedMs * pace);
    }
    return (nowMs - this.#offset) / this.tickMs;
  }

  #followed(nowMs: number, passedMs: number): number {
    // Ticks that do not come are not expected: at most the next one.
    const waitedMs = Math.min(Math.max(0, nowMs - this.#arrivalMs), this.tickMs);
    const target = this.newest + waitedMs / this.tickMs;
    const off = target - this.#tick;
    if (!(Math.abs(off) * this.tickMs <= JUMP_MS)) {
      this.jumps++;
      return target;
    }
    const next = this.#tick + passedMs / this.tickMs;
    const corrected = next + (target - next) * Math.min(1, passedMs / FOLLOW_MS);
    return Math.max(this.#tick, corrected);
  }
}
