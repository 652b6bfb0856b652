import type { AddressInfo } from 'node:net';
import { eventually } from '@leasehold/testkit';
import type { Peer, Viewer } from '@leasehold/view';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { ViewConnections } from './view-connections.ts';

/** What a connection needs to know of a viewer, and what it tells it. */
type Said = {
  isGreeted: boolean;
  wantsStatus: boolean;
  subscriptions: Map<number, unknown>;
  heard: string[];
  left: number;
};

let now = 0;
let said: (Said & { readonly peer: Peer })[] = [];
let connections: ViewConnections;
let server: WebSocketServer;

beforeEach(async () => {
  now = 0;
  said = [];
  const join = (peer: Peer): Viewer => {
    const one = {
      isGreeted: false,
      wantsStatus: false,
      subscriptions: new Map(),
      heard: [] as string[],
      left: 0,
      peer,
    };
    said.push(one);
    const hear = (text: string): void => void one.heard.push(text);
    const gone = (): void => void one.left++;
    return Object.assign(one, { hear, gone }) as unknown as Viewer;
  };
  connections = new ViewConnections(join, () => now, { perAddressMax: 2, max: 3 });
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) => connections.take(socket, '10.0.0.1'));
  await new Promise((resolve) => server.once('listening', resolve));
});

afterEach(async () => {
  await connections.close(50);
  await new Promise((resolve) => server.close(resolve));
});

async function open(options: ClientOptions = {}) {
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on('close', (code, reason) => resolve([code, reason.toString()]));
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const of = said.at(-1);
  if (of === undefined) throw new Error('nobody joined');
  return { socket, closed, of };
}

test('who says no hello within 5 s is closed, and whoever did is not', async () => {
  const silent = await open();
  const polite = await open();
  polite.of.isGreeted = true;
  now = 5_001;
  expect(await silent.closed).toEqual([4005, 'READER_IDLE']);
  expect(polite.socket.readyState).toBe(WebSocket.OPEN);
  await eventually(() => silent.of.left === 1);
});

test('READER_IDLE: who has no subscription for 60 s is closed', async () => {
  const idle = await open();
  const busy = await open();
  idle.of.isGreeted = true;
  busy.of.isGreeted = true;
  busy.of.subscriptions.set(1, {});
  for (now = 0; now < 60_000; now += 10_000) await heard(idle.socket, busy.socket);
  now = 60_001;
  await heard(idle.socket, busy.socket);
  expect(await idle.closed).toEqual([4005, 'READER_IDLE']);
  expect(busy.socket.readyState).toBe(WebSocket.OPEN);
  expect(connections.ended.get('READER_IDLE')).toBe(1);
});

test('who wants the status alone has something to do here, and stays', async () => {
  const watcher = await open();
  watcher.of.isGreeted = true;
  watcher.of.wantsStatus = true;
  for (now = 0; now < 130_000; now += 10_000) await heard(watcher.socket);
  // The connections are looked at twice a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(watcher.socket.readyState).toBe(WebSocket.OPEN);
  expect(connections.ended.get('READER_IDLE')).toBeUndefined();
});

/** Lets what clients send arrive. */
async function heard(...sockets: readonly WebSocket[]): Promise<void> {
  for (const socket of sockets) socket.send('x');
  await new Promise((resolve) => setTimeout(resolve, 20));
}

test('who answers no pings for 15 s is cut off; a network that is dead says nothing', async () => {
  const dead = await open({ autoPong: false });
  const alive = await open();
  for (const { of } of [dead, alive]) {
    of.isGreeted = true;
    of.subscriptions.set(1, {});
  }
  const pinged = new Promise((resolve) => alive.socket.once('ping', resolve));
  now = 10_000;
  await heard(alive.socket);
  await pinged;
  now = 15_001;
  expect((await dead.closed)[0]).toBe(1006);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
  expect(connections.ended.get('DEAD')).toBe(1);
});

test('LIMIT_EXCEEDED: an address has so many places, and all addresses together', async () => {
  const fault = (address: string): unknown => {
    try {
      connections.checkRoom(address);
      return 'room';
    } catch (error) {
      return (error as { detail: { field: string } }).detail.field;
    }
  };
  const first = await open();
  expect(fault('10.0.0.1')).toBe('room');
  await open();
  expect(fault('10.0.0.1')).toBe('CONNECTIONS_PER_ADDRESS_MAX');
  expect(fault('10.0.0.2')).toBe('room');
  await open();
  expect(fault('10.0.0.2')).toBe('CONNECTIONS_MAX');
  first.socket.close();
  await eventually(() => fault('10.0.0.2') === 'room');
});

test('who does not answer a close is cut off after a second', async () => {
  const deaf = await open();
  deaf.socket.pause();
  deaf.of.peer.close(4004, 'READER_SLOW');
  await eventually(() => connections.count === 0);
  expect(deaf.of.left).toBe(1);
  expect(connections.ended.get('READER_SLOW')).toBe(1);
  deaf.socket.terminate();
});

test('bytes given to a socket that is gone are done with all the same', async () => {
  const { socket, closed, of } = await open();
  socket.close();
  await closed;
  await new Promise<void>((resolve) => of.peer.send(new Uint8Array([1]), resolve));
  expect(of.peer.queuedBytes).toBeGreaterThanOrEqual(0);
});
