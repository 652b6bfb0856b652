/**
 * Notices that a world was restored: then another incarnation is the one, and whoever works on this one
 * works for nobody.
 */
import type { Registry } from '@leasehold/protocol';

const LOOK_MS = 1_000;

export type Replaced = {
  /** Aborted when another incarnation is ready. */
  readonly signal: AbortSignal;
  close(): void;
};

/**
 * Ends a process whose world was restored: whoever keeps it running starts it anew, on what is the world
 * now. One that has a parent is started and ended by that.
 */
export function endWhenReplaced(
  parts: { use(part: { close(): Promise<void> }): unknown; end(cause: string): void },
  registry: Pick<Registry, 'read'>,
  at: { readonly world: string; readonly incarnation: number; readonly hasParent: boolean },
): void {
  if (at.hasParent) return;
  const replaced = watchReplaced(registry, at);
  const end = (): void => parts.end(`${at.world} was restored: another incarnation is the one`);
  replaced.signal.addEventListener('abort', end, { once: true });
  parts.use({ close: async () => replaced.close() });
}

/** A registry that is away for a moment is asked again. */
export function watchReplaced(
  registry: Pick<Registry, 'read'>,
  { world, incarnation }: { readonly world: string; readonly incarnation: number },
): Replaced {
  const controller = new AbortController();
  const look = async (): Promise<void> => {
    const record = await registry.read(world).catch(() => undefined);
    const isOther = record?.state === 'ready' && record.incarnation !== incarnation;
    if (isOther) controller.abort();
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return { signal: controller.signal, close: () => clearInterval(timer) };
}
