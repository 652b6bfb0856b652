/**
 * Ctrl-C, or a terminal that is closed: the first asks for a clean end, the second ends at once.
 */

export type Interrupt = { readonly signal: AbortSignal; close(): void };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/**
 * One Ctrl-C comes several times: from the terminal, and from each npm or script above that passes
 * it on.
 */
const ECHO_MS = 1_000;

/** `onSecond` must be quick and synchronous: the process leaves right after it. */
export function openInterrupt(onFirst: () => void, onSecond: () => void): Interrupt {
  const controller = new AbortController();
  let firstMs = 0;
  const hear = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - firstMs < ECHO_MS) return;
      onSecond();
      process.exit(130);
    }
    firstMs = performance.now();
    controller.abort();
    onFirst();
  };
  for (const name of SIGNALS) process.on(name, hear);
  return {
    signal: controller.signal,
    close: () => {
      for (const name of SIGNALS) process.off(name, hear);
    },
  };
}
