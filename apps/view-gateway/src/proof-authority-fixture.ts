/**
 * What really is and was, for whoever doubts a view: read from checkpoints, logs and channels of
 * the store alone, without anything that gateways use to follow a world.
 */
import {
  applyCommit,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  type FieldValue,
  type FollowCursor,
  type Head,
  inspectCommit,
  type LayerSchema,
  type LogEntry,
  type Store,
  Table,
} from '@leasehold/protocol';

/** One who lives. On the way between cells it belongs to the one that it left. */
export type Being = {
  readonly cell: number;
  readonly components: Readonly<Record<string, Readonly<Record<string, FieldValue>>>>;
};

const BLOCK_MS = 100;
const LOOK_MS = 500;
/** A pod asks for the world's time once a second. */
const STILL_LOOKS = 4;

/** Everybody who lives. The world must be at rest. Throws when somebody is in two places. */
export async function authority(store: Store, schema: LayerSchema, cells: readonly number[]) {
  const images = await store.load(cells.map((cell) => ({ cell })));
  const heads = new Map((await headsOf(store, cells)).map((head) => [head.cell, head]));
  const living = new Map<number, Being>();
  for (const { cell, checkpoint, entries } of images) {
    const table =
      checkpoint === undefined
        ? new Table(schema)
        : decodeCheckpoint(checkpoint.body, schema).table;
    for (const { body } of entries) applyCommit(table, decodeCommit(body, schema));
    addRows(living, table, cell);
    for (const { seq, to, body } of await store.channel(cell, 0)) {
      const isConsumed = seq <= (heads.get(to)?.cursors.get(cell) ?? 0);
      if (!isConsumed) addRows(living, decodeRows(body, schema).rows, cell);
    }
  }
  return living;
}

function addRows(living: Map<number, Being>, table: Table, cell: number): void {
  for (let row = 0; row < table.count; row++) {
    const id = table.ids[row] as number;
    if (living.has(id)) throw new Error(`entity ${id} is in cell ${cell} and in another`);
    living.set(id, { cell, components: componentsOf(table, row) });
  }
}

function componentsOf(table: Table, row: number): Being['components'] {
  const components: Record<string, Record<string, FieldValue>> = {};
  for (const [c, { name, fields }] of table.schema.components.entries()) {
    if ((((table.masks[row] as number) >>> c) & 1) === 0) continue;
    const values = fields.map(({ name: field, kind }, f) => {
      const value = table.columns[c]?.[f]?.[row] as FieldValue;
      return [field, kind === 'bool' ? value === 1 : value] as const;
    });
    components[name] = Object.fromEntries(values);
  }
  return components;
}

async function headsOf(store: Store, cells: readonly number[]): Promise<Head[]> {
  const heads = await store.heads(cells);
  return heads.map((head) => {
    if ('tag' in head) throw new Error(`a head cannot be read: ${head.tag}`);
    return head;
  });
}

/**
 * Stops the world's time, and waits until nothing happens any more. Cells stay where they are: of
 * those that were behind, each at its own tick. Answers the latest.
 */
export async function rest(store: Store, cells: readonly number[], maxMs: number): Promise<number> {
  const time = await store.clock();
  if (time === undefined) throw new Error('the world has no clock');
  await store.setClock({ ...time, isPaused: true });
  const startMs = performance.now();
  let before = '';
  for (let still = 0; ; ) {
    const heads = await headsOf(store, cells);
    const now = heads.map(({ hash }) => hash).join();
    still = now === before ? still + 1 : 0;
    if (still === STILL_LOOKS) return Math.max(...heads.map(({ tick }) => tick));
    if (performance.now() - startMs > maxMs) throw new Error('the world does not come to rest');
    before = now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Writes down who was born and who died, from every entry of every log. */
export class Ledger {
  readonly births = new Set<number>();
  /** The tick at whose end somebody died. */
  readonly deaths = new Map<number, number>();
  entries = 0;
  arrivals = 0;
  readonly #store: Store;
  readonly #cursors = new Map<number, FollowCursor>();
  #isStopped = false;
  #reading: Promise<void> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async start(cells: readonly number[]): Promise<void> {
    for (const { cell, seq, hash } of await headsOf(this.#store, cells)) {
      this.#cursors.set(cell, { cell, seq, hash });
    }
    this.#reading = this.#read();
  }

  /** Reads to the end, and rejects if it has missed an entry meanwhile. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
  }

  async #read(): Promise<void> {
    for (let isEnd = false; !isEnd; ) {
      const isLast = this.#isStopped;
      const news = await this.#store.poll([...this.#cursors.values()], isLast ? 0 : BLOCK_MS);
      for (const { cell, entries, resync } of news) {
        if (resync) throw new Error(`cell ${cell} went on unseen: a test that lags proves nothing`);
        for (const entry of entries) this.#take(cell, entry);
      }
      isEnd = isLast && news.length === 0;
    }
  }

  #take(cell: number, { seq, hash, tick, body }: LogEntry): void {
    const { births, deaths, arrivals } = inspectCommit(body);
    for (const id of births) this.births.add(id);
    for (const id of deaths) this.deaths.set(id, tick);
    this.arrivals += arrivals.length;
    this.entries++;
    this.#cursors.set(cell, { cell, seq, hash });
  }
}
