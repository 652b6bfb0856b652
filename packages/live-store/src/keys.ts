/**
 * The names of all keys. Nothing else in the product knows one.
 *
 * Every key of a cell carries the hash tag of its block, so that the cells of a block share a slot
 * of Redis Cluster and can be committed in one call.
 */
import { assert, checkName, hashOf, LeaseholdError } from '@leasehold/kernel';
import { cellOfAddress, layerOfAddress } from '@leasehold/protocol';

/** What a grid must tell: which block a cell is in, and where that block lies. */
export type BlockGrid = {
  readonly cells: number;
  readonly blocks: number;
  blockOf(cell: number): number;
  /** Which of its block a cell is, from 0. */
  placeOf(cell: number): number;
  blockX(block: number): number;
  blockY(block: number): number;
};

export type CellKeys = {
  readonly cell: number;
  readonly block: string;
  readonly meta: string;
  readonly log: string;
  readonly out: string;
  readonly inbox: string;
  /** Ids of the last posts, so that a repetition is recognised. */
  readonly posted: string;
  readonly ckpt0: string;
  readonly ckpt1: string;
  readonly geo: string;
  /** Where its block has the mark of the state in which it left Redis. */
  readonly cold: string;
  readonly place: number;
};

/** The keys of one (world, incarnation, layer). Names of cells are made once and kept. */
export class Keys {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** Begins every key of a block of this incarnation. */
  readonly #blockPrefix: string;
  /** Every key of this incarnation, as a pattern of SCAN: names have no glob of their own. */
  readonly pattern: string;
  readonly pods: string;
  readonly clock: string;
  readonly pin: string;
  readonly feed: string;
  readonly schemas: string;
  readonly barrier: string;
  /** Of the layer's plan: they share a slot, and one call writes plan and journal. */
  readonly plan: string;
  readonly leader: string;
  readonly journal: string;
  readonly loads: string;
  readonly samples: string;
  readonly orders: string;
  readonly interests: string;
  /** Letters that found nobody, and their order: one call changes both. */
  readonly letters: string;
  readonly letterOrder: string;
  /** The pub/sub channel that every pod of the layer subscribes. */
  readonly planChannel: string;
  readonly #grid: BlockGrid;
  readonly #layers: readonly string[];
  /** By plain number or address. */
  readonly #cells = new Map<number, CellKeys>();

  /**
   * `layers`: all of the world, in the order of their numbers. Throws `NAME_INVALID` or
   * `SETTING_INVALID` when a part cannot be in a key.
   */
  constructor(
    world: string,
    incarnation: number,
    layer: string,
    grid: BlockGrid,
    layers: readonly string[] = [],
  ) {
    this.world = checkName('world', world);
    this.layer = checkName('layer', layer);
    this.#layers = layers.map((other) => checkName('layer', other));
    this.incarnation = checkIncarnation(incarnation);
    this.#grid = grid;
    this.#blockPrefix = `{${world}.${incarnation}.`;
    this.pattern = `{${world}.${incarnation}[.}]*`;
    const tag = `{${world}.${incarnation}}`;
    this.pods = `${tag}:pods`;
    this.clock = `${tag}:clock`;
    this.pin = `${tag}:pin`;
    this.feed = `${tag}:feed`;
    this.schemas = `${tag}:schemas`;
    this.barrier = `${tag}:barrier`;
    this.plan = this.planOf(-1);
    this.leader = `${tag}:leader:${layer}`;
    this.journal = `${tag}:journal:${layer}`;
    this.loads = `${tag}:loads:${layer}`;
    this.samples = `${tag}:samples:${layer}`;
    this.orders = `${tag}:orders:${layer}`;
    this.interests = `${tag}:interests:${layer}`;
    this.letters = `${tag}:letters:${layer}`;
    this.letterOrder = `${tag}:letterorder:${layer}`;
    this.planChannel = `${tag}:planned:${layer}`;
  }

  /** As `plan`, of the layer with this number; −1: the own one. */
  planOf(layer: number): string {
    return `{${this.world}.${this.incarnation}}:plan:${this.#nameOf(layer)}`;
  }

  /** As `planChannel`, of the layer with this number; −1: the own one. */
  planChannelOf(layer: number): string {
    return `{${this.world}.${this.incarnation}}:planned:${this.#nameOf(layer)}`;
  }

  #nameOf(layer: number): string | undefined {
    return layer === -1 ? this.layer : this.#layers[layer];
  }

  block(block: number): string {
    return `${this.#tag(block)}:block`;
  }

  /** Whether there is such a cell; `address`: its number, or its address in another layer. */
  has(address: number): boolean {
    if (!Number.isInteger(address) || address < 0) return false;
    return this.#layerOf(address) !== undefined && cellOfAddress(address) < this.#grid.cells;
  }

  #layerOf(address: number): string | undefined {
    return this.#nameOf(layerOfAddress(address));
  }

  cell(address: number): CellKeys {
    const known = this.#cells.get(address);
    if (known !== undefined) return known;
    assert(this.has(address), `cell ${address} is not of this world`);
    const cell = cellOfAddress(address);
    const layer = this.#layerOf(address);
    const tag = this.#tag(this.#grid.blockOf(cell));
    // PERF: joined they are one piece each. A template keeps all its steps, which is 3 times the memory.
    const of = (what: string): string => [tag, cell, what, layer].join(':');
    const keys = {
      cell: address,
      block: `${tag}:block`,
      meta: of('meta'),
      log: of('log'),
      out: of('out'),
      inbox: of('inbox'),
      posted: of('posted'),
      ckpt0: [tag, cell, 'ckpt', layer, '0'].join(':'),
      ckpt1: [tag, cell, 'ckpt', layer, '1'].join(':'),
      geo: [tag, cell, 'geo'].join(':'),
      cold: `cold:${layer}`,
      place: this.#grid.placeOf(cell),
    };
    this.#cells.set(address, keys);
    return keys;
  }

  /** Where entities of a slot are, and which of them died last. */
  whereabouts(slot: number, layer = -1): { readonly dir: string; readonly died: string } {
    const tag = this.#slotTag(slot);
    const name = this.#nameOf(layer);
    return { dir: `${tag}:dir:${name}`, died: `${tag}:died:${name}` };
  }

  /** The answer to a request, whichever layer gives it. */
  answer(request: string): string {
    return `${this.#slotTag(slotOf(request))}:answer:${request}`;
  }

  /** What a tool keeps of its own. */
  record(kind: string, id: string): string {
    return `${this.#slotTag(slotOf(id))}:record:${kind}:${id}`;
  }

  /** The pub/sub channel that only this pod subscribes. */
  podChannel(pod: string): string {
    return `{${this.world}.${this.incarnation}}:pod:${pod}`;
  }

  #slotTag(slot: number): string {
    return `${this.#blockPrefix}d${slot}}`;
  }

  #tag(block: number): string {
    return `${this.#blockPrefix}${this.#grid.blockX(block)}.${this.#grid.blockY(block)}}`;
  }
}

/** What is known by entity or by request is spread over so many slots of Redis Cluster. */
const SLOTS = 64;

/** The slot of an entity's id, or of a request's. */
export function slotOf(id: number | string): number {
  if (typeof id === 'number') return id % SLOTS;
  return Number.parseInt(hashOf(Buffer.from(id)).slice(0, 4), 16) % SLOTS;
}

/** The incarnation in the name of a block's key of this world, or undefined for any other key. */
export function incarnationOf(world: string, key: string): number | undefined {
  const match = /^\{([A-Za-z0-9_-]+)\.(\d+)\.\d+\.\d+\}:block$/.exec(key);
  return match?.[1] === world ? Number(match[2]) : undefined;
}

function checkIncarnation(incarnation: number): number {
  if (Number.isSafeInteger(incarnation) && incarnation >= 0) return incarnation;
  throw new LeaseholdError('SETTING_INVALID', `incarnation: ${incarnation} is not a whole number`, {
    field: 'incarnation',
    value: String(incarnation),
    remedy: 'Read the incarnation from the registry of worlds.',
  });
}
