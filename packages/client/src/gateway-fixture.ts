/** A gateway that does what a test says, over real WebSockets. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  type ClientMessage,
  type ComponentSchema,
  encodeDeltaPart,
  encodeJsonPart,
  encodeStatePart,
  FrameWriter,
  PART,
  Q_WIDE,
  quantise,
  VIEW_PROTOCOL,
  type ViewRows,
  viewShape,
  type Welcome,
} from '@leasehold/protocol/view';
import { eventually } from '@leasehold/testkit';
import { type WebSocket, WebSocketServer } from 'ws';

const STEP = 0.01;

export const COMPONENTS: readonly ComponentSchema[] = [
  { name: 'label', version: 1, fields: [{ name: 'text', kind: 'string', initial: '' }] },
  {
    name: 'place',
    version: 1,
    fields: [
      { name: 'isUp', kind: 'bool', initial: false },
      { name: 'x', kind: 'f64', initial: 0, step: STEP },
      { name: 'y', kind: 'f64', initial: 0, step: STEP },
    ],
    spatial: ['x', 'y'],
  },
];

/** Ten by ten cells of 100 on a torus. */
export const WELCOME: Welcome = {
  protocol: VIEW_PROTOCOL,
  gateway: 'scripted',
  world: 'flights',
  incarnation: 1,
  layer: 'main',
  tickHz: 20,
  mode: 'realtime',
  space: { kind: 'torus', width: 1000, height: 1000, cell: 100 },
  grid: {
    columns: 10,
    rows: 10,
    cellSize: 100,
    originX: 0,
    originY: 0,
    width: 1000,
    height: 1000,
    wrapsX: true,
    wrapsY: true,
  },
  components: COMPONENTS,
  spatial: { component: 'place', x: 'x', y: 'y' },
  limits: {},
  canKill: false,
};

export type Row = { readonly x: number; readonly y: number; readonly text?: string };

/** A cell as the gateway has it: change it, then tell of it. */
export class ScriptedCell {
  readonly cell: number;
  tick = 0;
  seq = 1;
  hash = 7;
  rows = new Map<number, Row>();

  constructor(cell: number, rows: Readonly<Record<number, Row>> = {}) {
    this.cell = cell;
    for (const [id, row] of Object.entries(rows)) this.rows.set(Number(id), row);
  }

  get held(): readonly number[] {
    return [this.cell, this.seq, this.hash, this.rows.size];
  }

  state(tick: number): Uint8Array {
    this.tick = tick;
    const shape = viewShape(COMPONENTS);
    return encodeStatePart(shape, this.#at, this.#columns(), undefined, this.rows.size);
  }

  /** Becomes `next` (rows to put in; undefined takes out) at a tick; answers the difference. */
  delta(tick: number, next: Readonly<Record<number, Row | undefined>>): Uint8Array {
    const base = { seq: this.seq, hash: this.hash };
    const before = new Map(this.rows);
    const removed: number[] = [];
    for (const [key, row] of Object.entries(next)) {
      if (row === undefined) {
        removed.push(Number(key));
        this.rows.delete(Number(key));
      } else this.rows.set(Number(key), row);
    }
    this.tick = tick;
    this.seq++;
    this.hash = (this.hash * 31 + this.seq) >>> 0;
    const ids = this.#ids();
    const rowsOf = (claim: (id: number) => boolean): Uint32Array =>
      Uint32Array.from(ids.flatMap((id, row) => (claim(id) ? [row] : [])));
    const added = rowsOf((id) => !before.has(id));
    const moved = rowsOf((id) => before.has(id) && next[id] !== undefined);
    const change = { component: 1, rows: moved, count: moved.length, differences: false };
    const changes = moved.length === 0 ? [] : [1, 2].map((field) => ({ ...change, field }));
    return encodeDeltaPart(
      viewShape(COMPONENTS),
      this.#at,
      base,
      this.#columns(),
      undefined,
      ids.length,
      { removed: removed.sort((a, b) => a - b), added, changes },
    );
  }

  get #at() {
    return { cell: this.cell, tick: this.tick, seq: this.seq, hash: this.hash };
  }

  #ids(): number[] {
    return [...this.rows.keys()].sort((a, b) => a - b);
  }

  #columns(): ViewRows {
    const ids = this.#ids();
    const rows = ids.map((id) => this.rows.get(id) as Row);
    const [column, row] = [this.cell % 10, Math.floor(this.cell / 10)];
    const steps = (values: number[], origin: number): Int32Array =>
      Int32Array.from(values, (value) => {
        const q = quantise(value, origin, STEP);
        return Number.isNaN(q) ? Q_WIDE : q;
      });
    const x = rows.map((each) => each.x);
    const y = rows.map((each) => each.y);
    const q = [[undefined], [undefined, steps(x, column * 100 + 50), steps(y, row * 100 + 50)]];
    return {
      count: ids.length,
      ids: Float64Array.from(ids),
      masks: Uint32Array.from(rows, ({ text }) => (text === undefined ? 2 : 3)),
      columns: [
        [rows.map(({ text }) => text ?? '')],
        [Uint8Array.from(rows, () => 1), Float64Array.from(x), Float64Array.from(y)],
      ],
      q,
      dq: q.map((fields) => fields.map((steps) => steps && new Int32Array(steps.length))),
    };
  }
}

/** One client, as the gateway sees it. */
export class ScriptedPeer {
  readonly messages: ClientMessage[] = [];
  readonly socket: WebSocket;
  storeMs = 1_000_000;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (text) => this.messages.push(JSON.parse(String(text))));
    socket.on('error', () => undefined);
  }

  /** The newest message of a type, once it is there. */
  async heard<T extends ClientMessage['type']>(type: T, count = 1) {
    const found = await eventually(() => {
      return this.messages.filter((message) => message.type === type)[count - 1];
    });
    return found as Extract<ClientMessage, { type: T }>;
  }

  frame(tick: number, ...parts: Uint8Array[]): void {
    this.socket.send(frameOf(tick, parts, this.storeMs));
  }

  async welcome(welcome: Partial<Welcome> = {}): Promise<void> {
    await this.heard('hello');
    this.frame(0, encodeJsonPart('welcome', { ...WELCOME, ...welcome }));
  }

  /** Parts for one subscription, then that it is live. */
  tell(id: number, tick: number, ...parts: Uint8Array[]): void {
    this.frame(tick, scope(id), ...parts, new Uint8Array([PART.live, 0]));
  }
}

export const scope = (id: number): Uint8Array => new Uint8Array([PART.scope, 1, id]);

export function frameOf(tick: number, parts: readonly Uint8Array[], storeMs = 1): Uint8Array {
  const writer = new FrameWriter().begin(storeMs, tick);
  for (const part of parts) writer.part(part);
  return writer.finish();
}

export class ScriptedGateway {
  readonly peers: ScriptedPeer[] = [];
  readonly port: number;
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.peers.push(new ScriptedPeer(socket)));
  }

  static async open(port = 0): Promise<ScriptedGateway> {
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return new ScriptedGateway(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/view`;
  }

  /** The client that came as the `count`th. */
  async peer(count = 1): Promise<ScriptedPeer> {
    return (await eventually(() => this.peers[count - 1])) as ScriptedPeer;
  }

  /** As a process that is killed: no close frames, nothing listens any more. */
  async kill(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
