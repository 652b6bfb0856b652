/** Ctrl-C: the first asks for a clean end, the second ends at once. */

export type Interrupt = { readonly signal: AbortSignal; close(): void };

/** `onSecond` must be quick and synchronous: the process leaves right after it. */
export function openInterrupt(onFirst: () => void, onSecond: () => void): Interrupt {
  const controller = new AbortController();
  const hear = (): void => {
    if (controller.signal.aborted) {
      onSecond();
      process.exit(130);
    }
    controller.abort();
    onFirst();
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
  return {
    signal: controller.signal,
    close: () => {
      process.off('SIGINT', hear);
      process.off('SIGTERM', hear);
    },
  };
}
