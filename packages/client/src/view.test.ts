/** The client over real WebSockets, against a gateway that follows a script. */
import {
  CLOSE,
  encodeCellsPart,
  encodeJsonPart,
  encodeMorePart,
  encodeTimePart,
  PART,
} from '@leasehold/protocol/view';
import { eventually } from '@leasehold/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { frameOf, ScriptedCell, ScriptedGateway, scope, WELCOME } from './gateway-fixture.ts';
import { type ConnectOptions, connect, type Fault, type Subscription, type View } from './index.ts';

const WORLD = { kind: 'world' } as const;

let gateway: ScriptedGateway;
const gateways: ScriptedGateway[] = [];
const views: View[] = [];

async function openGateway(port?: number): Promise<ScriptedGateway> {
  const opened = await ScriptedGateway.open(port);
  gateways.push(opened);
  return opened;
}

beforeEach(async () => {
  gateway = await openGateway();
});
afterEach(async () => {
  for (const view of views.splice(0)) view.close();
  for (const each of gateways.splice(0)) await each.kill().catch(() => undefined);
});

function open(options: Partial<ConnectOptions> = {}): View {
  const view = connect({ url: gateway.url, backoff: { firstMs: 20, maxMs: 40 }, ...options });
  views.push(view);
  return view;
}

/** Everything a subscription says, in order. */
function recorded(subscription: Subscription): [string, unknown][] {
  const events: [string, unknown][] = [];
  for (const name of ['enter', 'leave', 'update', 'live', 'resync', 'error'] as const) {
    subscription.on(name, (value) => events.push([name, value]));
  }
  return events;
}

/** A view with one subscription to everything, told of two cells. */
async function following() {
  const view = open();
  const subscription = view.subscribe({ area: WORLD });
  const events = recorded(subscription);
  const peer = await gateway.peer();
  await peer.welcome();
  await peer.heard('subscribe');
  const left = new ScriptedCell(0, { 1: { x: 10, y: 10 }, 2: { x: 20, y: 20, text: 'two' } });
  const right = new ScriptedCell(1, { 3: { x: 110, y: 10 } });
  peer.tell(subscription.id, 5, left.state(5), right.state(5));
  await eventually(() => subscription.isLive);
  events.splice(0);
  return { view, subscription, events, peer, left, right };
}

describe('a subscription', () => {
  test('tells who is there, and reads as entities, values and columns', async () => {
    const view = open();
    const subscription = view.subscribe({ area: WORLD, rateHz: 10 });
    const events = recorded(subscription);
    const peer = await gateway.peer();
    await peer.welcome();
    expect(await peer.heard('subscribe')).toEqual({
      type: 'subscribe',
      id: subscription.id,
      area: WORLD,
      rateHz: 10,
    });
    const cell = new ScriptedCell(0, { 1: { x: 10, y: 11.5 }, 2: { x: 20, y: 20, text: 'two' } });
    peer.tell(subscription.id, 5, cell.state(5));
    await eventually(() => subscription.isLive);
    expect(events).toEqual([
      ['enter', [1, 2]],
      ['live', { size: 2 }],
    ]);
    expect(subscription.get(1)).toEqual({
      id: 1,
      cell: 0,
      tick: 5,
      components: { place: { isUp: true, x: 10, y: 11.5 } },
    });
    expect(subscription.get(2)?.components['label']).toEqual({ text: 'two' });
    expect(subscription.get(3)).toBeUndefined();
    expect([...subscription.values('label', 'text')]).toEqual([[2, 'two']]);
    expect([...subscription.values('place', 'nothing')]).toEqual([]);
    const [columns] = [...subscription.cells()];
    expect(columns?.column('place', 'x')?.[1]).toBe(20);
    expect([columns?.has(0, 'label'), columns?.has(1, 'label')]).toEqual([false, true]);
    expect([...subscription.ids()].sort()).toEqual([1, 2]);
  });

  test('tells changes once a frame, after all of it is applied', async () => {
    const { subscription, events, peer, left, right, view } = await following();
    const seen: unknown[] = [];
    subscription.on('update', () => seen.push(subscription.get(3)?.components['place']?.['x']));
    peer.frame(
      6,
      scope(1),
      left.delta(6, { 1: { x: 11, y: 10 } }),
      right.delta(6, { 3: { x: 111, y: 10 }, 4: { x: 120, y: 1 } }),
    );
    await eventually(() => events.length === 2);
    expect(events).toEqual([
      ['enter', [4]],
      ['update', [1, 3]],
    ]);
    expect(seen).toEqual([111]);
    expect(view.tick).toBe(6);
  });

  test('an entity that crosses a border within a frame is updated, and neither leaves nor enters', async () => {
    const { subscription, events, peer, left, right } = await following();
    const slot = [...subscription.positions(performance.now()).ids].indexOf(1);
    peer.frame(
      6,
      scope(1),
      left.delta(6, { 1: undefined }),
      right.delta(6, { 1: { x: 101, y: 10 } }),
    );
    await eventually(() => events.length === 1);
    expect(events).toEqual([['update', [1]]]);
    expect(subscription.get(1)?.cell).toBe(1);
    expect(subscription.positions(performance.now()).ids[slot]).toBe(1);
  });

  test('an entity that crosses a border between two frames of one telling does not leave either', async () => {
    const { subscription, events, peer, left, right } = await following();
    peer.frame(6, scope(1), left.delta(6, { 1: undefined }), encodeMorePart());
    peer.frame(6, scope(1), right.delta(6, { 1: { x: 101, y: 10 } }));
    await eventually(() => events.length === 1);
    expect(events).toEqual([['update', [1]]]);
    expect(subscription.get(1)?.cell).toBe(1);
  });

  test('an entity in two cells counts once, in the one with the newer tick', async () => {
    const { subscription, events, peer, left, right } = await following();
    peer.frame(8, scope(1), left.delta(8, { 2: { x: 21, y: 20 } }));
    peer.frame(8, scope(1), right.delta(7, { 1: { x: 101, y: 10 } }));
    await eventually(() => subscription.tick === 8 && events.length >= 1);
    peer.frame(8, scope(1), right.delta(7, { 3: { x: 112, y: 10 } }));
    await eventually(() => events.some(([, ids]) => String(ids) === '3'));
    expect(subscription.size).toBe(3);
    expect(subscription.get(1)?.cell).toBe(0);
    // The cell it counted in lets go of it: the other one has it.
    peer.frame(9, scope(1), left.delta(9, { 1: undefined }));
    await eventually(() => subscription.get(1)?.cell === 1);
    expect(events.filter(([name]) => name === 'leave' || name === 'enter')).toEqual([]);
    expect([...subscription.values('place', 'x')].filter(([id]) => id === 1)).toEqual([[1, 101]]);
  });

  test('cells that are gone take their entities with them', async () => {
    const { subscription, events, peer } = await following();
    peer.frame(6, scope(1), encodeCellsPart('gone', [0]));
    await eventually(() => events.length > 0);
    expect(events).toEqual([['leave', [1, 2]]]);
    expect(subscription.size).toBe(1);
  });

  test('a broken chain keeps the rows, asks once, and goes on with the state', async () => {
    const { subscription, events, peer, left } = await following();
    left.delta(6, { 1: { x: 12, y: 10 } });
    for (const tick of [7, 8])
      peer.frame(tick, scope(1), left.delta(tick, { 1: { x: tick, y: 10 } }));
    expect(await peer.heard('resync')).toEqual({ type: 'resync', id: 1, cells: [0] });
    await eventually(() => subscription.isLive);
    expect(subscription.get(1)?.components['place']?.['x']).toBe(10);
    expect(events).toEqual([['resync', [0]]]);
    peer.frame(9, scope(1), left.state(9));
    await eventually(() => subscription.get(1)?.components['place']?.['x'] === 8);
    expect(events.slice(1)).toEqual([['update', [1, 2]]]);
    expect(peer.messages.filter(({ type }) => type === 'resync')).toHaveLength(1);
  });

  test('cells that the gateway resyncs stay readable until their state has come', async () => {
    const { subscription, events, peer, left } = await following();
    peer.frame(6, scope(1), encodeCellsPart('resync', [0]));
    await eventually(() => events.length === 1);
    expect(events).toEqual([['resync', [0]]]);
    expect(subscription.size).toBe(3);
    left.rows.delete(1);
    peer.frame(7, scope(1), left.state(7));
    await eventually(() => events.some(([name]) => name === 'leave'));
    expect(events[1]).toEqual(['leave', [1]]);
  });

  test('areas are sent newest last, and not more often than a gateway takes', async () => {
    const { subscription, peer } = await following();
    const area = (x: number) => ({ kind: 'circle', x, y: 0, radius: 5 }) as const;
    for (let x = 1; x <= 50; x++) subscription.setArea(area(x));
    await eventually(() => peer.messages.filter(({ type }) => type === 'area').length === 2);
    const areas = peer.messages.flatMap((message) =>
      message.type === 'area' ? [message.area] : [],
    );
    expect(areas).toEqual([area(1), area(50)]);
  });

  test('an answer that refuses is its error; a refused subscription can try another area', async () => {
    const view = open();
    const subscription = view.subscribe({ area: WORLD });
    const events = recorded(subscription);
    const peer = await gateway.peer();
    await peer.welcome();
    await peer.heard('subscribe');
    const fault = { code: 'AREA_INVALID', message: 'm', field: 'area', value: 'v', remedy: 'r' };
    peer.frame(1, encodeJsonPart('answer', { to: 'subscribe', id: 1, ok: false, ...fault }));
    await eventually(() => events.length === 1);
    expect(events).toEqual([['error', fault]]);
    subscription.setArea({ kind: 'circle', x: 1, y: 1, radius: 1 });
    expect(await peer.heard('subscribe', 2)).toMatchObject({ id: 1, area: { kind: 'circle' } });
  });

  test('a component that the world lacks is COMPONENT_UNKNOWN, and the gateway is not asked', async () => {
    const view = open();
    const events = recorded(view.subscribe({ area: WORLD, components: ['wings'] }));
    const peer = await gateway.peer();
    await peer.welcome();
    await eventually(() => events.length === 1);
    expect(events[0]).toEqual(['error', expect.objectContaining({ code: 'COMPONENT_UNKNOWN' })]);
    expect(peer.messages.map(({ type }) => type)).toEqual(['hello']);
  });

  test('a listener that throws breaks nothing else, and is told as an error', async () => {
    const { view, subscription, events, peer, left } = await following();
    const errors: Fault[] = [];
    view.on('error', (fault) => {
      errors.push(fault);
      throw new Error('again');
    });
    subscription.on('update', () => {
      throw new Error('mine');
    });
    const later: unknown[] = [];
    subscription.on('update', (ids) => later.push(ids));
    peer.frame(6, scope(1), left.delta(6, { 1: { x: 11, y: 10 } }));
    await eventually(() => later.length === 1);
    expect(events).toEqual([['update', [1]]]);
    expect(errors.map(({ message }) => message)).toEqual(['a listener threw: mine']);
    expect(view.state).toBe('open');
  });
});

describe('a view', () => {
  test('tells times, status, feed and holders', async () => {
    const view = open();
    const heard: string[] = [];
    for (const name of ['open', 'welcome', 'time', 'status', 'feed'] as const) {
      view.on(name, () => heard.push(name));
    }
    view.status(true);
    const peer = await gateway.peer();
    await peer.welcome();
    expect(await peer.heard('status')).toEqual({ type: 'status', on: true });
    const item = { atMs: 1, kind: 'takeover', pod: 'a', facts: {} };
    peer.frame(
      1,
      encodeTimePart({
        nowMs: 1,
        baseMs: 0,
        baseTick: 0,
        rateHz: 20,
        isPaused: false,
        isLockstep: false,
      }),
      encodeJsonPart('status', { tick: 1, entities: 2, pods: [] }),
      encodeJsonPart('feed', item),
      encodeJsonPart('feed', item),
    );
    await eventually(() => heard.length === 5);
    expect(heard).toEqual(['open', 'welcome', 'time', 'status', 'feed']);
  });

  test.each([
    ['garbage', new Uint8Array([1, 2, 3, 4, 5])],
    ['nothing', new Uint8Array(0)],
    ['a frame of another version', frameOf(1, []).fill(9, 0, 1)],
    [
      'a truncated part',
      frameOf(1, [new ScriptedCell(0, { 1: { x: 1, y: 1 } }).state(1)]).slice(0, 20),
    ],
    ['a text', 'hello'],
    ['a cell outside the grid', frameOf(1, [scope(1), new ScriptedCell(5_000).state(1)])],
    ['JSON of another form', frameOf(1, [encodeJsonPart('status', { tick: 1 } as never)])],
    ['an oversized frame', new Uint8Array(16 * 1024 * 1024 + 1)],
  ])('%s from a gateway is an error, and the connection is made anew', async (_, bytes) => {
    const { view, subscription, peer } = await following();
    const codes: string[] = [];
    view.on('error', ({ code }) => codes.push(code));
    peer.socket.send(bytes);
    const next = await gateway.peer(2);
    expect(codes).toEqual(['BODY_MALFORMED']);
    expect([view.badFrames, view.state]).toEqual([1, 'waiting']);
    expect(subscription.size).toBe(3);
    await next.welcome();
    await eventually(() => view.state === 'open');
  });

  test('a state that breaks off leaves the cell to be told anew, and nobody in it twice', async () => {
    const { view, subscription, events, peer, left, right } = await following();
    const state = left.state(6);
    // The last of its bytes belong to y; another length keeps the frame whole.
    const cut = state.slice(0, -1);
    cut[1] = (cut[1] as number) - 1;
    peer.frame(6, scope(1), cut);
    const next = await gateway.peer(2);
    await next.welcome();
    const { have } = await next.heard('subscribe');
    expect(have).toEqual([right.held]);
    next.tell(1, 7, left.state(7));
    await eventually(() => subscription.isLive);
    expect(subscription.size).toBe(3);
    expect(events.filter(([name]) => name === 'enter' || name === 'leave')).toEqual([]);
    expect(view.badFrames).toBe(1);
  });

  test('parts for a subscription that was just closed are passed over', async () => {
    const { view, subscription, peer, left } = await following();
    subscription.close();
    await peer.heard('unsubscribe');
    peer.frame(6, scope(1), left.delta(6, { 1: { x: 11, y: 10 } }));
    await eventually(() => view.tick === 6);
    expect([view.badFrames, subscription.size]).toEqual([0, 0]);
  });
});

describe('after a connection is lost', () => {
  test.each([
    ['VIEW_VERSION', CLOSE.VIEW_VERSION],
    ['WORLD_UNKNOWN', CLOSE.WORLD_UNKNOWN],
  ] as const)('%s is final', async (reason, code) => {
    const view = open();
    const errors: string[] = [];
    const closes: unknown[] = [];
    view.on('error', (fault) => errors.push(fault.code));
    view.on('close', (close) => closes.push(close));
    const peer = await gateway.peer();
    await peer.heard('hello');
    peer.socket.close(code, reason);
    await eventually(() => closes.length === 1);
    expect(closes).toEqual([{ code, reason, willRetry: false, retryInMs: 0 }]);
    expect([view.state, errors]).toEqual(['closed', [reason]]);
    expect(() => view.subscribe({ area: WORLD })).toThrow('closed view');
  });

  test('a welcome of another protocol is final too', async () => {
    const view = open();
    const peer = await gateway.peer();
    await peer.welcome({ protocol: 2 });
    await eventually(() => view.state === 'closed');
  });

  test.each([
    ['READER_SLOW', CLOSE.READER_SLOW],
    ['READER_IDLE', CLOSE.READER_IDLE],
    ['GATEWAY_CLOSING', CLOSE.GATEWAY_CLOSING],
    ['RATE_EXCEEDED', CLOSE.RATE_EXCEEDED],
    ['', 1006],
  ] as const)('%s is retried, with everything still readable', async (reason, code) => {
    const { view, subscription, peer } = await following();
    const closes: unknown[] = [];
    view.on('close', (close) => closes.push(close));
    if (code === 1006) peer.socket.terminate();
    else peer.socket.close(code, reason);
    await eventually(() => closes.length === 1);
    expect(closes[0]).toMatchObject({ code, reason, willRetry: true });
    expect([view.state, subscription.size, subscription.isLive]).toEqual(['waiting', 3, false]);
    await (await gateway.peer(2)).welcome();
    await eventually(() => view.state === 'open');
    expect(view.reconnects).toBe(1);
  });

  test('it says what it holds, and what is neither taken up nor told again has left', async () => {
    const { view, subscription, events, peer, left, right } = await following();
    view.status(true);
    peer.socket.terminate();
    const next = await gateway.peer(2);
    await next.welcome();
    const { have } = await next.heard('subscribe');
    expect(have).toEqual([left.held, right.held]);
    await next.heard('status');
    // The left cell goes on where it was, the right one is void and does not come back.
    next.frame(9, scope(1), encodeCellsPart('resync', [1]));
    next.tell(1, 9, left.delta(9, { 1: { x: 15, y: 10 } }));
    await eventually(() => subscription.isLive);
    expect([...subscription.ids()]).toEqual([1, 2]);
    expect(events).toEqual([
      ['resync', [1]],
      ['leave', [3]],
      ['update', [1]],
      ['live', { size: 2 }],
    ]);
  });

  test('nobody blinks who crosses into a cell that is told later, nor is unreadable meanwhile', async () => {
    const { subscription, events, peer, left, right } = await following();
    peer.socket.terminate();
    const next = await gateway.peer(2);
    await next.welcome();
    await next.heard('subscribe');
    next.frame(9, scope(1), left.delta(9, { 1: undefined, 2: { x: 22, y: 20 } }));
    await eventually(() => subscription.tick === 9);
    expect(subscription.has(1)).toBe(true);
    expect(subscription.get(1)).toMatchObject({ cell: 0, tick: 5 });
    next.frame(9, scope(1), right.delta(9, { 1: { x: 101, y: 10 }, 3: undefined }));
    await eventually(() => subscription.get(1)?.cell === 1);
    expect([...subscription.ids()].sort()).toEqual([1, 2, 3]);
    next.tell(1, 10);
    await eventually(() => subscription.isLive);
    expect([...subscription.ids()].sort()).toEqual([1, 2]);
    expect(events.filter(([name]) => name === 'enter' || name === 'leave')).toEqual([
      ['leave', [3]],
    ]);
    expect(subscription.get(3)).toBeUndefined();
  });

  test('rows of another incarnation are not offered, and go when the new one is told', async () => {
    const { subscription, events, peer } = await following();
    peer.socket.terminate();
    const next = await gateway.peer(2);
    await next.welcome({ incarnation: 2 });
    expect(await next.heard('subscribe')).not.toHaveProperty('have');
    expect(subscription.size).toBe(3);
    next.tell(1, 1, new ScriptedCell(0, { 2: { x: 5, y: 5 } }).state(1));
    await eventually(() => subscription.isLive);
    expect(events).toEqual([
      ['leave', [1, 3]],
      ['update', [2]],
      ['live', { size: 1 }],
    ]);
  });

  test('another gateway of the list is tried at once, whatever the wait', async () => {
    const other = await openGateway();
    const view = open({ url: [gateway.url, other.url], backoff: { firstMs: 60_000 } });
    const subscription = view.subscribe({ area: WORLD });
    const peer = await gateway.peer();
    await peer.welcome();
    const cell = new ScriptedCell(0, { 1: { x: 10, y: 10 } });
    peer.tell(1, 5, cell.state(5));
    await eventually(() => subscription.isLive);
    await gateway.kill();
    const next = await other.peer();
    await next.welcome();
    await next.heard('subscribe');
    next.tell(1, 6, cell.delta(6, { 1: { x: 11, y: 10 } }));
    await eventually(() => subscription.isLive && view.url === other.url);
    expect(view.reconnects).toBe(1);
  });

  test('nobody at the address is GATEWAY_UNREACHABLE, told once, and tried again', async () => {
    const { port } = gateway;
    await gateway.kill();
    const view = open({ url: `ws://127.0.0.1:${port}/view` });
    const codes: string[] = [];
    let closes = 0;
    view.on('error', ({ code }) => codes.push(code));
    view.on('close', () => closes++);
    await eventually(() => closes >= 3);
    expect([view.state, codes]).toEqual(['connecting', ['GATEWAY_UNREACHABLE']]);
    gateway = await openGateway(port);
    await (await gateway.peer()).welcome();
    await eventually(() => view.state === 'open');
    expect(view.welcome?.world).toBe(WELCOME.world);
  });
});

test.each([
  [{ url: [] }, 'url'],
  [{ url: 'http://a/view' }, 'url'],
  [{ url: 'ws://' }, 'url'],
  [{ url: 'ws://a', interpolation: { delayTicks: -1 } }, 'interpolation.delayTicks'],
] satisfies [ConnectOptions, string][])('%o is SETTING_INVALID', (options, field) => {
  const detail = expect.objectContaining({ field });
  expect(() => connect(options)).toThrow(
    expect.objectContaining({ code: 'SETTING_INVALID', detail }),
  );
});

test('a live part for nobody changes nothing', async () => {
  const { view, peer, subscription } = await following();
  peer.frame(7, new Uint8Array([PART.live, 0]), scope(9), new Uint8Array([PART.live, 0]));
  await eventually(() => view.tick === 7);
  expect([view.badFrames, subscription.size]).toEqual([0, 3]);
});
