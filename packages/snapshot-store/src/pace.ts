/** Keeps to a rate by small sips: what was not used is never made up for by a burst. */
export class Pace {
  readonly #bytesPerMs: number;
  #freeMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
  }

  /**
   * When the next sip may begin, on the caller's clock, after one of so many bytes that began at
   * `beganMs`. A sip that took longer than its bytes are worth has paid for itself alone.
   */
  after(beganMs: number, bytes: number): number {
    this.#freeMs = Math.max(this.#freeMs, beganMs) + bytes / this.#bytesPerMs;
    return this.#freeMs;
  }
}

/** Of these there are some in a second: a tick that meets one of them waits for little. */
const SIPS_PER_SECOND = 20;
/** Less is not worth a round trip. */
const SIP_BYTES_MIN = 16 * 1024;

/** How much is read and written in one go at a rate. */
export const sipBytes = (bytesPerSecond: number): number =>
  Math.max(SIP_BYTES_MIN, Math.floor(bytesPerSecond / SIPS_PER_SECOND));
