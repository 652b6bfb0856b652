/** A proxy of a test: one that is left open fails the test's file, by name. */
import { openProxy as openServersProxy, type TcpProxy } from '@leasehold/servers';
import { opened } from './leftovers.ts';

export type { Direction, TcpProxy } from '@leasehold/servers';

/** Listens on a free port of 127.0.0.1 and passes every connection on to `target`. */
export async function openProxy(options: { readonly target: number }): Promise<TcpProxy> {
  let closed = (): void => {};
  const proxy = await openServersProxy({ ...options, onClose: () => closed() });
  closed = opened(`proxy on port ${proxy.port}`, () => proxy.close());
  return proxy;
}
