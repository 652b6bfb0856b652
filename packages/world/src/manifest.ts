/**
 * The shape of `world.yaml`: its keys, ranges and defaults, in one place. The JSON schema for
 * editors and the checks of a manifest are made from the same table.
 */
import { NAME_PATTERN } from '@leasehold/kernel';
import {
  BLOCK_CELLS_DEFAULT,
  BLOCK_CELLS_MAX,
  MARGIN_DEFAULT,
  MARGIN_MAX,
  type SpaceSpec,
} from '@leasehold/spatial';

/** Slower, a pod's lease would run out between two ticks; faster, a tick is under 8 ms. */
export const TICK_HZ_MIN = 0.1;
export const TICK_HZ_MAX = 120;
/** Shorter than a garbage collection is an eviction; longer, nobody would wait for a takeover. */
export const LEASE_TTL_MS_MIN = 300;
export const LEASE_TTL_MS_MAX = 60_000;
export const LEASE_GRACE_MS_MIN = 50;
export const LEASE_GRACE_MS_MAX = 10_000;
/** Random streams are keyed by 32 bits. */
export const SEED_MAX = 2 ** 32 - 1;
/** Each layer of a cell is a log and two checkpoints of its own. */
export const LAYERS_MAX = 16;

export type Manifest = {
  readonly world: string;
  /** Path of the simulation module, from the world's folder. */
  readonly module: string;
  readonly space: SpaceSpec;
  readonly blockCells: number;
  /** How far past its cell's border an entity may be before it leaves, as a fraction of a cell. */
  readonly margin: number;
  readonly tickHz: number;
  readonly mode: 'realtime' | 'lockstep';
  readonly seed: number;
  /** Component names by layer. Every component of the simulation is in exactly one. */
  readonly layers: Readonly<Record<string, readonly string[]>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly lease: { readonly ttlMs: number; readonly graceMs: number };
  readonly sleep: {
    /** A cell sleeps after this time; 0 = never. */
    readonly idleMs: number;
    /** So long nobody was in or around it; or nothing that is there has changed. */
    readonly when: 'empty' | 'still';
  };
  /** How far an entity moves, in space units, before its cell's index is told. */
  readonly index: { readonly resolution: number };
  /** Absent: the world has none. */
  readonly prefabs?: PrefabSource;
};

/** Where the prefabs of a world come from. */
export type PrefabSource = {
  /** A path, from the world's folder, of a git repository or of anything in it; or its http(s) URL. */
  readonly repository: string;
  /** Folder of the prefabs, from the root of the repository. */
  readonly folder: string;
  /** A branch, a tag or a commit. */
  readonly ref: string;
  /** How often whoever follows the repository looks at it. */
  readonly pollMs: number;
};

const DEFAULTS = {
  blockCells: BLOCK_CELLS_DEFAULT,
  margin: MARGIN_DEFAULT,
  tickHz: 20,
  mode: 'realtime',
  seed: 1,
  ttlMs: 2_000,
  graceMs: 500,
  idleMs: 300_000,
  sleepsWhen: 'empty',
  prefabFolder: 'prefabs',
  prefabRef: 'HEAD',
  prefabPollMs: 10_000,
} as const;
/** More often would be a nuisance to whoever serves the repository. */
const POLL_MS_MIN = 1_000;
/** A day. */
const IDLE_MS_MAX = 86_400_000;
/** The index is told when an entity has moved this far; every tick would cost more than commits. */
const RESOLUTION_CELLS = 1 / 4;

/** As much of JSON Schema as a manifest needs. */
export type Schema = {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer';
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly anyOf?: readonly Schema[];
};

/** A strict object: an unknown key is a fault, never a silent nothing. */
function strict(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

const cell: Schema = {
  type: 'number',
  exclusiveMinimum: 0,
  description: 'Side of a cell, in units of the space (WGS84: degrees that divide 180).',
};
const extents: Readonly<Record<string, Schema>> = {
  width: {
    type: 'number',
    exclusiveMinimum: 0,
    description: 'Extent along x, in units of the world.',
  },
  height: {
    type: 'number',
    exclusiveMinimum: 0,
    description: 'Extent along y, in units of the world.',
  },
  cell,
};

export const SPACE_KINDS = ['plane', 'torus', 'wgs84'] as const;

const flat = ['kind', 'width', 'height', 'cell'];
const spaces: Readonly<Record<string, Schema>> = {
  plane: strict({ kind: { const: 'plane' }, ...extents }, flat),
  torus: strict({ kind: { const: 'torus' }, ...extents }, flat),
  wgs84: strict({ kind: { const: 'wgs84' }, cell }, ['kind', 'cell']),
};
/** What is checked of a space whose kind is none: only that. */
const unknownSpace: Schema = {
  type: 'object',
  properties: { kind: { enum: SPACE_KINDS } },
  required: ['kind'],
};

const componentNames: Schema = {
  anyOf: [
    { const: 'all' },
    { type: 'array', items: { type: 'string', pattern: NAME_PATTERN.source }, minItems: 1 },
  ],
};

const lease = strict({
  ttlMs: {
    type: 'integer',
    minimum: LEASE_TTL_MS_MIN,
    maximum: LEASE_TTL_MS_MAX,
    default: DEFAULTS.ttlMs,
    description: 'How long a silent pod keeps its cells, in milliseconds.',
  },
  graceMs: {
    type: 'integer',
    minimum: LEASE_GRACE_MS_MIN,
    maximum: LEASE_GRACE_MS_MAX,
    default: DEFAULTS.graceMs,
    description: 'How long an expired lease can still be kept by a commit.',
  },
});

const sleep = strict({
  idleMs: {
    type: 'integer',
    minimum: 0,
    maximum: IDLE_MS_MAX,
    default: DEFAULTS.idleMs,
    description:
      'A cell in and around which nothing was so long sleeps, in milliseconds; 0 = never.',
  },
  when: {
    enum: ['empty', 'still'],
    default: DEFAULTS.sleepsWhen,
    description:
      'still: cells sleep too in which somebody is, if nothing in and around them changes.',
  },
});

const index = strict({
  resolution: {
    type: 'number',
    exclusiveMinimum: 0,
    description: 'Movement, in space units, that is worth indexing; a cell / 4.',
  },
});

const prefabs = strict(
  {
    repository: {
      type: 'string',
      minLength: 1,
      description: 'Git repository with prefabs: a path from this folder, or an http(s) URL.',
    },
    folder: {
      type: 'string',
      default: DEFAULTS.prefabFolder,
      description: 'Folder of the prefabs, from the root of the repository.',
    },
    ref: {
      type: 'string',
      minLength: 1,
      default: DEFAULTS.prefabRef,
      description: 'Branch, tag or commit that is followed.',
    },
    pollMs: {
      type: 'integer',
      minimum: POLL_MS_MIN,
      maximum: IDLE_MS_MAX,
      default: DEFAULTS.prefabPollMs,
      description: 'How often the repository is looked at, in milliseconds.',
    },
  },
  ['repository'],
);

function keysOf(space: Schema, layer: Schema): Schema {
  const keys: Readonly<Record<string, Schema>> = {
    world: {
      type: 'string',
      pattern: NAME_PATTERN.source,
      description: 'Name of the world: 1 to 64 letters, digits, _ or -.',
    },
    module: {
      type: 'string',
      minLength: 1,
      description: 'Path of the simulation module, from this folder.',
    },
    space,
    blockCells: {
      type: 'integer',
      minimum: 1,
      maximum: BLOCK_CELLS_MAX,
      default: DEFAULTS.blockCells,
      description: 'Cells along the side of a block; cells of a block live on one Redis node.',
    },
    margin: {
      type: 'number',
      minimum: 0,
      maximum: MARGIN_MAX,
      default: DEFAULTS.margin,
      description: 'How far past its border an entity still belongs to a cell, in cells.',
    },
    tickHz: {
      type: 'number',
      minimum: TICK_HZ_MIN,
      maximum: TICK_HZ_MAX,
      default: DEFAULTS.tickHz,
      description: 'Ticks per second.',
    },
    mode: {
      enum: ['realtime', 'lockstep'],
      default: DEFAULTS.mode,
      description: 'realtime keeps the rate; lockstep gives the same state on any number of pods.',
    },
    seed: {
      type: 'integer',
      minimum: 0,
      maximum: SEED_MAX,
      default: DEFAULTS.seed,
      description: 'Seed of all randomness in the world.',
    },
    layers: {
      type: 'object',
      additionalProperties: layer,
      maxProperties: LAYERS_MAX,
      description: 'Component names by layer; without it, all are in the layer main.',
    },
    params: {
      type: 'object',
      description: 'Parameters for the simulation, as it likes them.',
    },
    lease,
    sleep,
    index,
    prefabs,
  };
  return strict(keys, ['world', 'module', 'space']);
}

/** What to check a manifest against: the space by its own kind, so that a fault is told once. */
export function manifestSchema(kind: unknown): Schema {
  const space = (typeof kind === 'string' ? spaces[kind] : undefined) ?? unknownSpace;
  // Layers are checked by hand: names and lists get messages of their own.
  return keysOf(space, {});
}

/** The JSON schema of `world.yaml`, for editors and for the reference. */
export function worldSchemaJson(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A Leasehold world (world.yaml)',
    ...keysOf({ anyOf: Object.values(spaces) }, componentNames),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

export type GivenManifest = Partial<
  Omit<Manifest, 'layers' | 'lease' | 'sleep' | 'index' | 'prefabs'>
> & {
  readonly layers?: Readonly<Record<string, readonly string[] | 'all'>>;
  readonly lease?: Partial<Manifest['lease']>;
  readonly sleep?: Partial<Manifest['sleep']>;
  readonly index?: Partial<Manifest['index']>;
  readonly prefabs?: Partial<PrefabSource>;
};

/** A checked manifest with every default in its place. */
export function complete(given: GivenManifest, layers: Manifest['layers']): Manifest {
  const space = given.space as SpaceSpec;
  return {
    world: given.world as string,
    module: given.module as string,
    space,
    blockCells: given.blockCells ?? DEFAULTS.blockCells,
    margin: given.margin ?? DEFAULTS.margin,
    tickHz: given.tickHz ?? DEFAULTS.tickHz,
    mode: given.mode ?? DEFAULTS.mode,
    seed: given.seed ?? DEFAULTS.seed,
    layers,
    params: given.params ?? {},
    lease: {
      ttlMs: given.lease?.ttlMs ?? DEFAULTS.ttlMs,
      graceMs: given.lease?.graceMs ?? DEFAULTS.graceMs,
    },
    sleep: {
      idleMs: given.sleep?.idleMs ?? DEFAULTS.idleMs,
      when: given.sleep?.when ?? DEFAULTS.sleepsWhen,
    },
    index: { resolution: given.index?.resolution ?? space.cell * RESOLUTION_CELLS },
    ...(given.prefabs === undefined ? {} : { prefabs: prefabSource(given.prefabs) }),
  };
}

function prefabSource({ repository, folder, ref, pollMs }: Partial<PrefabSource>): PrefabSource {
  return {
    repository: repository as string,
    folder: folder ?? DEFAULTS.prefabFolder,
    ref: ref ?? DEFAULTS.prefabRef,
    pollMs: pollMs ?? DEFAULTS.prefabPollMs,
  };
}
