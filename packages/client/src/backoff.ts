/**
 * When and where to connect next. Every other gateway of the list is tried at once, since one of
 * them probably lives; when all have failed, waits double up to a limit. Jitter keeps the clients
 * of a gateway that died from coming back in one moment.
 */
const FIRST_MS = 200;
const MAX_MS = 5_000;

export type BackoffOptions = {
  readonly urls: readonly string[];
  readonly random: () => number;
  readonly firstMs?: number;
  readonly maxMs?: number;
};

export class Backoff {
  readonly #options: BackoffOptions;
  #at = 0;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The gateway in use, or the next to be tried. */
  get url(): string {
    return this.#options.urls[this.#at] as string;
  }

  /** A connection proved good: what fails next is a first failure again. */
  succeed(): void {
    this.#failures = 0;
  }

  /** This gateway has sent the client away for what it did: no retry is at once. */
  blame(): void {
    this.#failures = Math.max(this.#failures, this.#options.urls.length);
  }

  /** Moves on to the next gateway; answers after how many milliseconds it is to be tried. */
  fail(): number {
    const { urls, random, firstMs = FIRST_MS, maxMs = MAX_MS } = this.#options;
    this.#at = (this.#at + 1) % urls.length;
    const doublings = this.#failures - urls.length;
    this.#failures++;
    if (doublings < 0) return 0;
    const limit = Math.min(maxMs, firstMs * 2 ** Math.min(doublings, 30));
    return limit * (0.5 + random() / 2);
  }
}
