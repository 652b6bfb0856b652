/** What the command does about its gateways, whatever they serve: a stand-in listens in their place. */
import { fileURLToPath } from 'node:url';
import { eventually, freePort } from '@leasehold/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { Gateways } from './gateways.ts';
import { isPortFree } from './ports.ts';

const MAIN = fileURLToPath(new URL('gateway-fixture.mjs', import.meta.url));
const NEVER = new AbortController().signal;
const WAIT_MS = 20_000;

type Answer = { readonly gateway: string; readonly pid: number; readonly isAllowed: boolean };

async function opened(env: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  const warnings: string[] = [];
  const kills: string[] = [];
  const gateways = new Gateways({
    env,
    ports: [port],
    warn: (line) => warnings.push(line),
    kill: (pod) => kills.push(pod),
    main: MAIN,
  });
  onTestFinished(() => gateways.close());
  gateways.start();
  const ask = async (path = '/', token = ''): Promise<Answer> => {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' };
    return (await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).json()) as Answer;
  };
  return { gateways, port, warnings, kills, ask };
}

const tokenIn = (address: string): string => new URL(address).hash.replace('#token=', '');

test('the address carries a token of this start, and whoever has it may ask for a kill', async () => {
  const { gateways, port, kills, ask } = await opened();
  await gateways.untilListening(NEVER);
  expect(gateways.address).toMatch(new RegExp(`^http://127.0.0.1:${port}/#token=[0-9a-f]{32}$`));
  expect(await ask('/pods/pod-1/kill', 'guessed')).toMatchObject({ isAllowed: false });
  expect(await ask('/pods/pod-2/kill', tokenIn(gateways.address))).toMatchObject({
    isAllowed: true,
  });
  await eventually(() => kills.length > 0, WAIT_MS);
  expect(kills).toEqual(['pod-2']);
  const other = await opened();
  await other.gateways.untilListening(NEVER);
  expect(tokenIn(other.gateways.address)).not.toBe(tokenIn(gateways.address));
});

test('a gateway that is killed is replaced on its port, with the token that viewers have', async () => {
  const { gateways, warnings, ask } = await opened();
  await gateways.untilListening(NEVER);
  const { address } = gateways;
  const { pid, gateway } = await ask();
  process.kill(pid, 'SIGKILL');
  await eventually(async () => (await ask().catch(() => undefined))?.pid !== undefined, WAIT_MS);
  await eventually(async () => ((await ask().catch(() => undefined))?.pid ?? pid) !== pid, WAIT_MS);
  expect(gateways.address).toBe(address);
  expect(await ask('/', tokenIn(address))).toMatchObject({ gateway, isAllowed: true });
  expect(warnings).toEqual([expect.stringContaining('ended (SIGKILL)')]);
});

test('a restart is another process on the same port, and is not told as a fault', async () => {
  const { gateways, warnings, ask } = await opened();
  await gateways.untilListening(NEVER);
  const { pid } = await ask();
  await gateways.restart();
  expect((await ask()).pid).not.toBe(pid);
  expect(warnings).toEqual([]);
});

test('nothing listens once they were stopped, also while one is being replaced', async () => {
  const { gateways, port, ask } = await opened();
  await gateways.untilListening(NEVER);
  process.kill((await ask()).pid, 'SIGKILL');
  await eventually(() => gateways.address === '', WAIT_MS);
  await gateways.stop();
  // Longer than a replacement takes.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await isPortFree(port)).toBe(true);
});

test('POD_FAILED one that ends before it listens is told with its last lines', async () => {
  const { gateways } = await opened({ BROKEN: '1' });
  await expect(gateways.untilListening(NEVER)).rejects.toMatchObject({
    code: 'POD_FAILED',
    detail: { field: 'gateway', value: expect.stringContaining('no wind today') },
  });
});

test('a port that nobody asked for and that is taken meanwhile is left to who was first', async () => {
  const first = await opened();
  await first.gateways.untilListening(NEVER);
  const second = new Gateways({
    env: {},
    ports: [first.port],
    mayMove: true,
    warn: () => undefined,
    kill: () => undefined,
    main: MAIN,
  });
  onTestFinished(() => second.close());
  second.start();
  await second.untilListening(NEVER);
  expect(new URL(second.address).port).not.toBe(String(first.port));
  expect(second.viewUrls).toEqual([`ws://${new URL(second.address).host}/view`]);
});
