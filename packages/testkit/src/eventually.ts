import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats `claim` until it returns something truthy without throwing, and returns that. After `ms`
 * it throws what the claim last threw, or says that it stayed false.
 */
export async function eventually<T>(claim: () => T | Promise<T>, ms = 5_000): Promise<T> {
  const deadlineMs = performance.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const value = await claim();
      if (value) return value;
      last = new Error(`stayed ${String(value)} for ${ms} ms: ${claim}`);
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs) throw last;
    await sleep(10);
  }
}
