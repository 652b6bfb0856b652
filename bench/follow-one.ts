/**
 * One follower of the drifting world in a process of its own: the halo of a pod, read as a pod
 * reads it, or a gateway with one client that sees everything. Told by JSON lines to `begin` and to
 * `end`; answers with when it had seen what, on the machine's monotonic clock.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LiveStore, openLiveStore } from '@leasehold/live-store';
import { Halo } from '@leasehold/pod/halo';
import { Holding } from '@leasehold/pod/holding';
import { SEED_EPOCH } from '@leasehold/protocol';
import { FrameReader, PART, VIEW_PROTOCOL } from '@leasehold/protocol/view';
import { ViewHub } from '@leasehold/view';
import { machineMs } from './machine-clock.ts';
import { compileDrift, placeOf } from './world.ts';

export type Followed = {
  readonly type: 'followed';
  /** Cell, tick, and when it was seen. */
  readonly seen: readonly (readonly [cell: number, tick: number, ms: number])[];
  readonly cpuMs: number;
};

const TICK_HZ = 20;
const LOOK_MS = 5;
const SEEN_MS_MAX = 20_000;
/** The pod that has these cells reads what lies around them. */
const HELD_SIDE = 4;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = {
  nowMs: () => performance.now(),
  sleep: async (ms: number) => void (await sleep(ms)),
};

const [kind, url, side, perCell] = process.argv.slice(2) as [string, string, string, string];
const { grid, engine } = compileDrift(Number(side), Number(perCell));
const seen: (readonly [number, number, number])[] = [];
let isMeasuring = false;
let cpuFrom = process.cpuUsage();

/** By cell, the last tick seen: what is told of a tick tells of those before it, too. */
const last = new Map<number, number>();

function note(cell: number, tick: number): void {
  const before = last.get(cell) ?? tick - 1;
  last.set(cell, tick);
  if (!isMeasuring) return;
  const ms = machineMs();
  for (let each = before + 1; each <= tick; each++) seen.push([cell, each, ms]);
}

const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const store = await openLiveStore(placeOf(url, grid));
if (kind === 'halo') void followAsPod(store);
else followAsGateway(store);

/** Nothing is leased: a holder is only there to have neighbours. */
async function holdings(of: LiveStore): Promise<Map<number, Holding>> {
  const cells: number[] = [];
  for (let y = 0; y < HELD_SIDE; y++) {
    for (let x = 0; x < HELD_SIDE; x++) cells.push(y * grid.columns + x);
  }
  const held = new Map<number, Holding>();
  for (const head of await of.heads(cells)) {
    if ('tag' in head) throw new Error(`no world to follow: ${head.tag}`);
    const { cell } = head;
    const claim = { cell, nonce: 'bench', epoch: SEED_EPOCH };
    held.set(cell, new Holding(claim, grid.blockOf(cell), engine.createCell(cell), head, 0));
  }
  return held;
}

/** As the read loop of a pod in realtime does it. */
async function followAsPod(of: LiveStore): Promise<void> {
  const held = await holdings(of);
  const settings = { leaseTtlMs: 0, blocksMax: 0, indexResolution: 0 };
  const parts = { pod: 'bench', pid: 0, store: of, engine, clock, log: silent, settings };
  const halo = new Halo({ ...parts, randomHex: () => '', schemaOf: () => undefined }, () => {});
  const followed = new Set<number>();
  halo.sync(held);
  for (const cell of held.keys()) {
    for (const other of grid.neighbours(cell)) if (!held.has(other)) followed.add(other);
  }
  let isReady = false;
  for (;;) {
    const startMs = clock.nowMs();
    await halo.read(held, 0);
    if (!isReady && [...followed].every((cell) => halo.tickOf(cell) >= 0)) {
      isReady = true;
      say({ type: 'ready', cells: followed.size });
    }
    for (const cell of followed) if (halo.tickOf(cell) >= 0) note(cell, halo.tickOf(cell));
    halo.age(Math.max(...last.values()));
    await sleep(Math.max(1, 500 / TICK_HZ - (clock.nowMs() - startMs)));
  }
}

function followAsGateway(of: LiveStore): void {
  const { schema, spatial } = engine;
  const { world, incarnation, layer } = placeOf(url, grid);
  const facts = { gateway: 'bench', world, incarnation, layer, tickHz: TICK_HZ } as const;
  const hub = new ViewHub({
    ...{ store: of, schema, grid, clock, log: silent },
    ...(spatial === undefined ? {} : { spatial }),
    facts: { ...facts, mode: 'realtime', canKill: false },
  });
  hub.start();
  let isLive = false;
  const viewer = hub.join({
    queuedBytes: 0,
    close: (code, reason) => {
      throw new Error(`the gateway closed: ${code} ${reason}`);
    },
    send(frame, done) {
      const reader = new FrameReader(frame);
      for (let part = reader.next(); part !== undefined; part = reader.next()) {
        if (part.kind === PART.delta) note(part.body.varint(), part.body.varint());
        else if (part.kind === PART.live && !isLive) {
          isLive = true;
          say({ type: 'ready', cells: grid.cells });
        }
      }
      done();
    },
  });
  viewer.hear(JSON.stringify({ type: 'hello', protocol: VIEW_PROTOCOL, world: '' }));
  viewer.hear(JSON.stringify({ type: 'subscribe', id: 1, area: { kind: 'world' } }));
}

/** Waits until every followed cell has come to this tick; not for ever. */
async function untilSeen(tick: number): Promise<void> {
  const deadlineMs = clock.nowMs() + SEEN_MS_MAX;
  while (Math.min(...last.values()) < tick && clock.nowMs() < deadlineMs) await sleep(LOOK_MS);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { type, tick = 0 } = JSON.parse(line) as { readonly type: string; readonly tick?: number };
  if (type === 'begin') {
    cpuFrom = process.cpuUsage();
    isMeasuring = true;
    say({ type: 'begun' });
  } else if (type === 'end') {
    await untilSeen(tick);
    isMeasuring = false;
    const { user, system } = process.cpuUsage(cpuFrom);
    const followed: Followed = { type: 'followed', seen, cpuMs: (user + system) / 1_000 };
    say(followed);
  }
}
process.exit(0);
