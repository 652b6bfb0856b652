/** Creating and forgetting a world in Redis. Pods never do either. */
import { LeaseholdError } from '@leasehold/kernel';
import type {
  CellRestore,
  CellSeed,
  CellSeedReply,
  ChannelRestore,
  WorldAdmin,
} from '@leasehold/protocol';
import { callCells } from './calls.ts';
import { checkRedisUrl } from './faults.ts';
import {
  blockCreate,
  blockSeal,
  cellCreate,
  cellRestore,
  outRestore,
} from './generated/library.ts';
import { type BlockGrid, type CellKeys, incarnationOf, Keys } from './keys.ts';
import { ensureLibrary, LIBRARY, loadLibrary } from './library.ts';
import { Link } from './link.ts';
import { Shared } from './shared.ts';

const TIMEOUT_MS = 10_000;
/** Cells whose calls go out in one round trip. */
const CELLS_PER_ROUND_MAX = 256;
/** Keys removed by one command, and looked at by one scan: neither stops others for long. */
const KEYS_PER_STEP_MAX = 1_000;

export type WorldAdminOptions = {
  readonly url: string;
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly grid: BlockGrid;
};

export async function openWorldAdmin(options: WorldAdminOptions): Promise<LiveWorldAdmin> {
  const admin = new LiveWorldAdmin(options);
  await admin.open();
  return admin;
}

export class LiveWorldAdmin implements WorldAdmin {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  readonly #grid: BlockGrid;
  readonly #keys: Keys;
  readonly #link: Link;
  readonly #shared: Shared;

  /** Use `openWorldAdmin`. */
  constructor({ url, world, incarnation, layer, grid }: WorldAdminOptions) {
    this.#keys = new Keys(world, incarnation, layer, grid);
    this.world = world;
    this.incarnation = incarnation;
    this.layer = layer;
    this.#grid = grid;
    this.#link = new Link({
      url: checkRedisUrl(url),
      timeoutMs: TIMEOUT_MS,
      localMs: () => performance.now(),
      onChange: () => undefined,
    });
    this.#shared = new Shared(this.#link, this.#keys);
  }

  async open(): Promise<void> {
    await this.#link.open();
    try {
      await this.loadFunctions();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async runId(): Promise<string> {
    await this.#link.refresh();
    return this.#link.runId;
  }

  /** Loads the product's library if it is missing or different, or a source given. */
  async loadFunctions(source?: string): Promise<void> {
    if (source === undefined) await ensureLibrary(this.#link, LIBRARY);
    else await loadLibrary(this.#link, source);
  }

  async createBlocks(): Promise<void> {
    const replies = await this.#onBlocks(blockCreate);
    const failed = replies.find(({ tag }) => !['OK', 'ALREADY', 'SEALED'].includes(tag));
    if (failed !== undefined) throw refusedFault('createBlocks', failed);
  }

  async createCells(cells: readonly CellSeed[]): Promise<CellSeedReply[]> {
    return this.#inRounds(cells, (some) =>
      callCells(
        this.#link,
        CALLS,
        cellCreate,
        this.#call,
        some.map(({ cell, ...seed }) => ({ ...this.#keys.cell(cell), ...seed })),
      ),
    );
  }

  async restoreCells(cells: readonly CellRestore[]): Promise<CellSeedReply[]> {
    return this.#inRounds(cells, (some) =>
      callCells(
        this.#link,
        CALLS,
        cellRestore,
        this.#call,
        some.map((of) => restoreItem(of, this.#keys.cell(of.cell))),
      ),
    );
  }

  async restoreChannels(channels: readonly ChannelRestore[]): Promise<CellSeedReply[]> {
    return this.#inRounds(channels, (some) =>
      callCells(
        this.#link,
        CALLS,
        outRestore,
        this.#call,
        some.map(({ cell, outs }) => ({ ...this.#keys.cell(cell), outs })),
      ),
    );
  }

  get #call() {
    return { incarnation: this.incarnation };
  }

  async #inRounds<T>(
    items: readonly T[],
    send: (
      some: readonly T[],
    ) => Promise<(CellSeedReply | { readonly tag: 'BROKEN'; readonly message: string })[]>,
  ): Promise<CellSeedReply[]> {
    const replies: CellSeedReply[] = [];
    for (let i = 0; i < items.length; i += CELLS_PER_ROUND_MAX) {
      for (const reply of await send(items.slice(i, i + CELLS_PER_ROUND_MAX))) {
        replies.push(reply.tag === 'BROKEN' ? { tag: 'UNKNOWN', message: reply.message } : reply);
      }
    }
    return replies;
  }

  async blocks(): Promise<{ readonly present: number; readonly sealed: number }> {
    let present = 0;
    let sealed = 0;
    for (const keys of this.#blockKeys()) {
      const outcomes = await this.#link.exec(
        keys.map((key) => ['HMGET', key, 'incarnation', 'sealed']),
      );
      for (const { value, error } of outcomes) {
        if (error !== undefined) throw error;
        const [incarnation, isSealed] = value as (string | null)[];
        if (incarnation !== String(this.incarnation)) continue;
        present++;
        if (isSealed === '1') sealed++;
      }
    }
    return { present, sealed };
  }

  async incarnations(): Promise<number[]> {
    const found = new Set<number>();
    for await (const keys of this.#scan(`{${this.world}.*}:block`)) {
      for (const key of keys) {
        const incarnation = incarnationOf(this.world, key);
        if (incarnation !== undefined) found.add(incarnation);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  putSchema(hash: string, json: string): Promise<void> {
    return this.#shared.putSchema(hash, json);
  }

  getSchema(hash: string): Promise<string | undefined> {
    return this.#shared.getSchema(hash);
  }

  async forget(): Promise<void> {
    const replies = await this.#onBlocks(blockSeal);
    const failed = replies.find(({ tag }) => !['OK', 'NOWORLD'].includes(tag));
    if (failed !== undefined) throw refusedFault('forget', failed);
    // Blocks go last: while one cell is left, its block says that it is sealed.
    const blocks: string[] = [];
    for await (const keys of this.#scan(this.#keys.pattern)) {
      blocks.push(...keys.filter((key) => key.endsWith(':block')));
      await this.#unlink(keys.filter((key) => !key.endsWith(':block')));
    }
    await this.#unlink(blocks);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #onBlocks(fn: typeof blockCreate | typeof blockSeal) {
    const replies: { readonly tag: string; readonly message?: string }[] = [];
    for (const keys of this.#blockKeys()) {
      const call = { incarnation: this.incarnation };
      const items = keys.map((block) => ({ block }));
      replies.push(...(await callCells(this.#link, CALLS, fn as typeof blockCreate, call, items)));
    }
    return replies;
  }

  /** Keys of all blocks, some at a time. */
  *#blockKeys(): Generator<string[]> {
    for (let from = 0; from < this.#grid.blocks; from += CELLS_PER_ROUND_MAX) {
      const count = Math.min(CELLS_PER_ROUND_MAX, this.#grid.blocks - from);
      yield Array.from({ length: count }, (_, i) => this.#keys.block(from + i));
    }
  }

  async *#scan(pattern: string): AsyncGenerator<string[]> {
    let cursor = '0';
    do {
      const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', KEYS_PER_STEP_MAX] as const;
      const [next, keys] = (await this.#link.call([...scan])) as [string, string[]];
      yield keys;
      cursor = next;
    } while (cursor !== '0');
  }

  async #unlink(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += KEYS_PER_STEP_MAX) {
      await this.#link.call(['UNLINK', ...keys.slice(i, i + KEYS_PER_STEP_MAX)]);
    }
  }
}

/** A key that is declared and not used would make the call wait while its slot migrates. */
function restoreItem({ cell: _, last, ...of }: CellRestore, { log, ...keys }: CellKeys) {
  const none = { lastHash: '', lastTick: 0, lastBody: new Uint8Array(0) };
  if (last === undefined) return { ...keys, ...of, ...none };
  return { ...keys, ...of, log, lastHash: last.hash, lastTick: last.tick, lastBody: last.body };
}

const CALLS = { library: LIBRARY, perBlock: false };

function refusedFault(
  field: string,
  { tag, message = '' }: { readonly tag: string; readonly message?: string },
): Error {
  if (tag === 'UNKNOWN') return new Error(message);
  return new LeaseholdError('REDIS_REFUSED', `${field}: the store answers ${tag} ${message}`, {
    field,
    value: tag,
    remedy: 'Look at the memory, replicas and disk of Redis, then repeat.',
  });
}
