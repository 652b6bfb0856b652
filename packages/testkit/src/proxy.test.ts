import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { openProxy, type TcpProxy } from './proxy.ts';

/** An echo server, a proxy before it, and one client that notes what it hears. */
let server: Server;
let served: Socket[];
let proxy: TcpProxy;

beforeEach(async () => {
  served = [];
  server = await echo('');
  proxy = await openProxy({ target: portOf(server) });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of served) socket.destroy();
  server.close();
});

async function echo(prefix: string): Promise<Server> {
  const made = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(prefix + bytes.toString()));
  });
  await once(made.listen(0, '127.0.0.1'), 'listening');
  return made;
}

function portOf(listening: Server): number {
  const address = listening.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function client() {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  const state = { socket, heard: '', closed: false };
  socket.on('data', (bytes) => {
    state.heard += bytes.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    state.closed = true;
  });
  return state;
}

describe('the proxy', () => {
  test('bytes pass both ways in order', async () => {
    const one = client();
    for (let i = 0; i < 100; i++) one.socket.write(`${i},`);
    await eventually(() => one.heard.endsWith('99,'));
    expect(one.heard).toBe(Array.from({ length: 100 }, (_, i) => `${i},`).join(''));
  });

  test('a delay holds each way back by its time and keeps the order', async () => {
    const one = client();
    await once(one.socket, 'connect');
    proxy.delay(60);
    const startMs = performance.now();
    one.socket.write('a');
    await sleep(10);
    one.socket.write('b');
    await eventually(() => one.heard === 'ab');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(118);
  });

  test('a black hole downwards swallows replies and not requests, and gives them back when it heals', async () => {
    const one = client();
    await once(one.socket, 'connect');
    proxy.blackhole('down');
    one.socket.write('x');
    await eventually(() => proxy.bytes.up === 1);
    await sleep(50);
    expect(one.heard).toBe('');
    proxy.heal();
    await eventually(() => one.heard === 'x');
  });

  test('a black hole tells nobody that the other side is gone', async () => {
    const one = client();
    one.socket.write('x');
    await eventually(() => one.heard === 'x');
    proxy.blackhole();
    served[0]!.destroy();
    const two = client();
    two.socket.write('y');
    await sleep(50);
    expect([one.closed, two.heard]).toEqual([false, '']);
    proxy.heal();
    await eventually(() => one.socket.readableEnded && two.heard === 'y');
  });

  test('a client that leaves in a black hole is not missed before it heals', async () => {
    const one = client();
    one.socket.write('x');
    await eventually(() => one.heard === 'x');
    proxy.blackhole();
    one.socket.destroy();
    await sleep(50);
    expect(served[0]!.readableEnded).toBe(false);
    proxy.heal();
    await eventually(() => served[0]!.readableEnded);
  });

  test('a lost reply means that the server did the work and the client only saw a cut', async () => {
    const seen: string[] = [];
    const one = client();
    await once(one.socket, 'connect');
    await eventually(() => served.length === 1);
    served[0]!.on('data', (bytes) => seen.push(bytes.toString()));
    proxy.loseReply();
    one.socket.write('x');
    await eventually(() => one.closed);
    expect([seen, one.heard]).toEqual([['x'], '']);
    const two = client();
    two.socket.write('y');
    await eventually(() => two.heard === 'y');
  });

  test('a cut resets all, a refusal turns new ones away, and both end', async () => {
    const one = client();
    await once(one.socket, 'connect');
    proxy.cut();
    await eventually(() => one.closed);
    proxy.refuse();
    const two = client();
    await eventually(() => two.closed);
    proxy.heal();
    const three = client();
    three.socket.write('z');
    await eventually(() => three.heard === 'z');
    expect(proxy.connections).toBe(1);
  });

  test('after retargeting, new connections reach the other server', async () => {
    const other = await echo('other:');
    const one = client();
    one.socket.write('a');
    await eventually(() => one.heard === 'a');
    proxy.retarget(portOf(other));
    const two = client();
    two.socket.write('b');
    one.socket.write('c');
    await eventually(() => two.heard === 'other:b' && one.heard === 'ac');
    other.close();
  });
});
