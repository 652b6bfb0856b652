/** The real clock. Only apps take it; everything below is handed a `Clock`. */
import type { Clock } from '@leasehold/kernel';

/** Monotonic: it does not follow a wall clock that is set. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      // A timer takes a millisecond at least; whoever only lets others run is back at once.
      const timer = ms > 0 ? setTimeout(wake, ms) : undefined;
      if (timer === undefined) setImmediate(wake);
      signal?.addEventListener('abort', wake);
    }),
};
