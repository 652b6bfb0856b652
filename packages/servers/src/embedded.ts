/**
 * A Redis look-alike in this process, so that a first try needs nothing. It keeps nothing on disk
 * and its streams grow slow, so it carries a demo and no more.
 */
export type Embedded = { readonly redisUrl: string; close(): Promise<void> };

export async function openEmbedded(reasons: string[]): Promise<Embedded | undefined> {
  try {
    const { createRedisMock } = await import('js-redis-server');
    const server = await createRedisMock({ compatibility: 'redis-7.0' });
    const [address] = server.addresses();
    return {
      redisUrl: `redis://127.0.0.1:${address?.port}`,
      close: () => server.close(),
    };
  } catch (error) {
    reasons.push(
      `the embedded server did not start: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}
