/** A view client that says whatever a test wants it to, over a real WebSocket. */
import {
  type Answer,
  type Area,
  CellRows,
  type ClientMessage,
  cellCentre,
  FrameReader,
  PART,
  peekCell,
  readCells,
  readJsonPart,
  readScope,
  type Selection,
  VIEW_PROTOCOL,
  type ViewShape,
  viewShape,
  type Welcome,
} from '@leasehold/protocol/view';
import { eventually } from '@leasehold/testkit';
import { type ClientOptions, WebSocket } from 'ws';

export type Closed = { readonly code: number; readonly reason: string };

export class ViewSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  readonly answers: Answer[] = [];
  welcome: Welcome | undefined;
  frames = 0;
  deltas = 0;
  live = 0;
  /** Cells of the subscriptions, by `id:cell`. */
  readonly #cells = new Map<string, CellRows>();
  readonly #shapes = new Map<number, ViewShape>();
  #scope = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => undefined);
    socket.on('message', (data) => this.#read(new Uint8Array(data as Buffer)));
  }

  /** Resolves when it is open; rejects with the status of a refusal. */
  static async open(url: string, options: ClientOptions = {}): Promise<ViewSocket> {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const client = new ViewSocket(socket);
    await opened;
    return client;
  }

  say(message: ClientMessage): this {
    this.socket.send(JSON.stringify(message));
    return this;
  }

  hello(world = '', protocol: number = VIEW_PROTOCOL): this {
    return this.say({ type: 'hello', protocol, world });
  }

  /** Says hello and waits for the welcome. */
  async greet(): Promise<Welcome> {
    this.hello();
    await eventually(() => this.welcome !== undefined);
    return this.welcome as Welcome;
  }

  /** After the welcome. */
  subscribe(id: number, area: Area, selection: Selection = {}): this {
    const { components = [] } = this.welcome ?? {};
    const known = selection.components?.every((name) => components.some((of) => of.name === name));
    if (known !== false) this.#shapes.set(id, viewShape(components, selection.components));
    return this.say({ type: 'subscribe', id, area, ...selection });
  }

  /** The first answer, past or coming, that was a refusal with this code. */
  async refusal(code: string): Promise<Answer> {
    const find = () => this.answers.find((answer) => !answer.ok && answer.code === code);
    await eventually(find);
    return find() as Answer;
  }

  /** Ids of all rows of all subscriptions, ascending. */
  ids(): number[] {
    const cells = [...this.#cells.values()];
    return cells.flatMap(({ ids, count }) => [...ids.subarray(0, count)]).sort((a, b) => a - b);
  }

  close(): Promise<Closed> {
    this.socket.close();
    return this.closed;
  }

  #read(frame: Uint8Array): void {
    this.frames++;
    const reader = new FrameReader(frame);
    for (let part = reader.next(); part !== undefined; part = reader.next()) {
      const { kind, body } = part;
      if (kind === PART.welcome) this.welcome = readJsonPart(body) as unknown as Welcome;
      if (kind === PART.answer) this.answers.push(readJsonPart(body) as Answer);
      if (kind === PART.scope) this.#scope = readScope(body);
      if (kind === PART.live) this.live++;
      if (kind === PART.gone) for (const cell of readCells(body)) this.#forget(cell);
      if (kind === PART.state) this.#rows(peekCell(body))?.applyState(body);
      if (kind === PART.delta && this.#rows(peekCell(body))?.applyDelta(body)) this.deltas++;
    }
  }

  #forget(cell: number): void {
    this.#cells.delete(`${this.#scope}:${cell}`);
  }

  #rows(cell: number): CellRows | undefined {
    const shape = this.#shapes.get(this.#scope);
    if (shape === undefined || this.welcome === undefined) return undefined;
    const key = `${this.#scope}:${cell}`;
    const [x, y] = cellCentre(this.welcome.grid, cell);
    const rows = this.#cells.get(key) ?? new CellRows(shape, cell, x, y);
    this.#cells.set(key, rows);
    return rows;
  }
}
