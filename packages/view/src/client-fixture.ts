/** A client of a hub in the same process, for tests: decodes what it is sent, and keeps it. */
import type { LayerSchema } from '@leasehold/protocol';
import {
  type Area,
  CellRows,
  type ClientMessage,
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
} from '@leasehold/protocol/view';
import type { Grid } from '@leasehold/spatial';
import type { ViewHub } from './hub.ts';
import type { Peer, Viewer } from './viewer.ts';

type Seen = { readonly shape: ViewShape; readonly cells: Map<number, CellRows>; live: number };

export class TestClient implements Peer {
  readonly viewer: Viewer;
  readonly answers: Readonly<Record<string, unknown>>[] = [];
  readonly views = new Map<number, Seen>();
  readonly kinds = new Map<number, number>();
  /** Ids of the subscription 1 after each frame, for whoever looks for one that blinked. */
  onFrame: (client: TestClient) => void = () => {};
  /** How many there are in the world, as each status says. */
  readonly totals: number[] = [];
  frames = 0;
  bytes = 0;
  /** Broken chains. */
  breaks = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** While it does not read, what it is sent stays in the queue. */
  isReading = true;
  readonly #schema: LayerSchema;
  readonly #grid: Grid;
  #queue: { readonly frame: Uint8Array; readonly done: () => void }[] = [];

  constructor(hub: ViewHub, { schema, grid }: { schema: LayerSchema; grid: Grid }) {
    this.#schema = schema;
    this.#grid = grid;
    this.viewer = hub.join(this);
  }

  get queuedBytes(): number {
    return this.#queue.reduce((sum, { frame }) => sum + frame.length, 0);
  }

  send(frame: Uint8Array, done: () => void): void {
    this.#queue.push({ frame, done });
    if (this.isReading) this.read();
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  say(message: ClientMessage): void {
    this.viewer.hear(JSON.stringify(message));
  }

  hello(): this {
    this.say({ type: 'hello', protocol: VIEW_PROTOCOL, world: '' });
    return this;
  }

  subscribe(
    id: number,
    area: Area,
    selection: Selection & { rateHz?: number; asOf?: string } = {},
  ): this {
    const shape = viewShape(this.#schema.components, selection.components);
    this.views.set(id, { shape, cells: new Map(), live: 0 });
    this.say({ type: 'subscribe', id, area, ...selection });
    return this;
  }

  /** Reads everything that waits. */
  read(): void {
    for (const { frame, done } of this.#queue.splice(0)) {
      this.frames++;
      this.bytes += frame.length;
      this.#take(new FrameReader(frame));
      this.onFrame(this);
      done();
    }
  }

  #take(reader: FrameReader): void {
    let seen: Seen | undefined;
    for (let part = reader.next(); part !== undefined; part = reader.next()) {
      const { kind, body } = part;
      this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
      if (kind === PART.status) this.#noteStatus(readJsonPart(body));
      if (kind === PART.answer) this.answers.push(readJsonPart(body));
      if (kind === PART.scope) seen = this.views.get(readScope(body));
      if (seen === undefined) continue;
      if (kind === PART.live) seen.live++;
      if (kind === PART.gone) for (const cell of readCells(body)) seen.cells.delete(cell);
      if (kind !== PART.state && kind !== PART.delta) continue;
      const cell = peekCell(body);
      const rows = seen.cells.get(cell) ?? this.#rowsOf(seen.shape, cell);
      seen.cells.set(cell, rows);
      if (kind === PART.state) rows.applyState(body);
      else if (rows.applyDelta(body) === undefined) this.breaks++;
    }
  }

  #noteStatus(status: Readonly<Record<string, unknown>>): void {
    this.totals.push(Number(status['entities']));
  }

  #rowsOf(shape: ViewShape, cell: number): CellRows {
    return new CellRows(shape, cell, this.#grid.centreX(cell), this.#grid.centreY(cell));
  }

  /** Ids of all rows of a subscription, ascending, repeated as often as they are there. */
  ids(id = 1): number[] {
    const ids: number[] = [];
    for (const { ids: of, count } of this.views.get(id)?.cells.values() ?? []) {
      ids.push(...of.subarray(0, count));
    }
    return ids.sort((a, b) => a - b);
  }

  /** Values of one field by entity. */
  values(component: string, field: string, id = 1): Map<number, unknown> {
    const seen = this.views.get(id) as Seen;
    const c = seen.shape.components.findIndex(({ name }) => name === component);
    const f = seen.shape.components[c]?.fields.findIndex(({ name }) => name === field) ?? -1;
    const values = new Map<number, unknown>();
    for (const rows of seen.cells.values()) {
      for (let row = 0; row < rows.count; row++) {
        values.set(rows.ids[row] as number, rows.columns[c]?.[f]?.[row]);
      }
    }
    return values;
  }
}
