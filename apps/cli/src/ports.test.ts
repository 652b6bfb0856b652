import { createServer, type Server } from 'node:net';
import { LeaseholdError } from '@leasehold/kernel';
import { expect, onTestFinished, test } from 'vitest';
import { choosePorts, isPortFree, PORT_DEFAULT } from './ports.ts';

/** Listens on a port until the test is over; 0 = any. */
async function taken(port = 0): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(port, '127.0.0.1', resolve);
  });
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('no gateway needs no port', async () => {
  expect(await choosePorts(0, 0)).toEqual([]);
});

test('PORT_IN_USE a port that was asked for and is taken is refused, and none is tried instead', async () => {
  const port = await taken();
  for (const [count, given] of [
    [1, port],
    [2, port - 1],
  ] as const) {
    const error = await choosePorts(count, given).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LeaseholdError);
    expect(error).toMatchObject({ code: 'PORT_IN_USE', detail: { field: '--port' } });
  }
});

test('a port that was not asked for is the next that is free', async () => {
  const before = await choosePorts(2, 0);
  expect(before[0]).toBeGreaterThanOrEqual(PORT_DEFAULT);
  await taken(before[0]);
  const after = await choosePorts(2, 0);
  expect(after[0]).toBeGreaterThan(before[0] as number);
  expect(await isPortFree(before[0] as number)).toBe(false);
});
