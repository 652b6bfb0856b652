/**
 * Time as it is handed in. Nothing below the apps reads a clock of its own, so a test or a
 * simulation can own time.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. Says nothing about the wall. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
