/** What the command does about its lifecycle services: a stand-in listens in their place. */
import { fileURLToPath } from 'node:url';
import { eventually, freePort } from '@leasehold/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { Lifecycles } from './lifecycles.ts';
import { isPortFree } from './ports.ts';

const MAIN = fileURLToPath(new URL('gateway-fixture.mjs', import.meta.url));
const NEVER = new AbortController().signal;
const WAIT_MS = 20_000;

async function opened(env: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  const warnings: string[] = [];
  const warn = (line: string): number => warnings.push(line);
  const lifecycles = new Lifecycles({ env, ports: [port], warn, main: MAIN });
  onTestFinished(() => lifecycles.close());
  lifecycles.start();
  const pid = async (): Promise<number> => {
    const headers = { connection: 'close' };
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
    return ((await answer.json()) as { pid: number }).pid;
  };
  return { lifecycles, port, warnings, pid };
}

test('one that is killed is replaced on its port', async () => {
  const { lifecycles, port, warnings, pid } = await opened();
  await lifecycles.untilListening(NEVER);
  expect(lifecycles.urls).toEqual([`http://127.0.0.1:${port}`]);
  const before = await pid();
  process.kill(before, 'SIGKILL');
  await eventually(async () => (await pid()) !== before, WAIT_MS);
  expect(warnings).toEqual([expect.stringContaining('ended (SIGKILL)')]);
});

test('nothing listens once they were stopped, also while one is being replaced', async () => {
  const { lifecycles, port, pid } = await opened();
  await lifecycles.untilListening(NEVER);
  process.kill(await pid(), 'SIGKILL');
  await eventually(() => lifecycles.urls.length === 0, WAIT_MS);
  await lifecycles.stop();
  // Longer than a replacement takes.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await isPortFree(port)).toBe(true);
});

test('POD_FAILED one that ends before it listens is told with its last lines', async () => {
  const { lifecycles } = await opened({ BROKEN: '1' });
  await expect(lifecycles.untilListening(NEVER)).rejects.toMatchObject({
    code: 'POD_FAILED',
    detail: { field: 'lifecycle', value: expect.stringContaining('no wind today') },
  });
});

test('a port that is taken meanwhile is left to who was first', async () => {
  const first = await opened();
  await first.lifecycles.untilListening(NEVER);
  const second = new Lifecycles({
    ...{ env: {}, ports: [first.port], warn: () => undefined, main: MAIN },
  });
  onTestFinished(() => second.close());
  second.start();
  await second.untilListening(NEVER);
  expect(second.urls).not.toEqual(first.lifecycles.urls);
});
