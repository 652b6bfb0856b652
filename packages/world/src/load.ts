/**
 * Reads a world folder: manifest and module. It tells every fault of the manifest at once, and
 * never touches a store.
 */
import { readFile, stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkName, Hasher, hasCode, LeaseholdError } from '@leasehold/kernel';
import type { FixedSettings } from '@leasehold/protocol';
import { isSimulation, type Simulation } from '@leasehold/sdk';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import { LineCounter, parseDocument } from 'yaml';
import { type Fault, faultError, lineOf, nearestKey, printable, schemaFaults } from './faults.ts';
import { complete, type GivenManifest, type Manifest, manifestSchema } from './manifest.ts';

export type LoadedWorld = {
  /** Absolute path. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly simulation: Simulation;
  readonly grid: Grid;
  /** Of what a stored world can never change: name, space, blocks, seed, its layers. Sixteen hex digits. */
  readonly manifestHash: string;
};

export const MANIFEST_FILE = 'world.yaml';
/** A manifest is written by hand; more than this is another file. */
const MANIFEST_BYTES_MAX = 1024 * 1024;
const DEFAULT_LAYER = 'main';

/**
 * Reads, checks and imports the world in `folder`.
 *
 * Errors: `WORLD_MISSING` for a folder or file that is not there; `MANIFEST_INVALID`,
 * `NAME_INVALID`, `SPACE_INVALID`, `COMPONENT_UNKNOWN` for what the manifest says; `MODULE_INVALID`
 * for a module that cannot be loaded or is no simulation. A declaration that the module itself gets
 * wrong keeps the code it was refused with.
 */
export async function loadWorld(folder: string): Promise<LoadedWorld> {
  const home = resolve(folder);
  const file = resolve(home, MANIFEST_FILE);
  const read = parse(file, await readManifest(home, file));
  const checked = check(read);
  const simulation = await importModule(home, checked.given.module as string);
  const faults: Fault[] = [];
  const layers = layersOf(checked.given, simulation, (path, fault) => {
    faults.push({ ...fault, field: path.join('.'), line: read.line(path) });
  });
  const [first, ...rest] = faults;
  if (first) throw faultError(file, [first, ...rest]);
  const manifest = complete(checked.given, layers);
  return { folder: home, manifest, simulation, grid: checked.grid, manifestHash: hash(manifest) };
}

async function readManifest(home: string, file: string): Promise<string> {
  const folder = await stat(home).catch(() => undefined);
  if (!folder?.isDirectory()) {
    const what = folder ? 'is not a folder' : 'is not there';
    throw new LeaseholdError('WORLD_MISSING', `the world folder ${home} ${what}`, {
      field: 'WORLD_FOLDER',
      value: home,
      remedy: `Give a folder that has a ${MANIFEST_FILE}, such as examples/flocking.`,
    });
  }
  const manifest = await stat(file).catch(() => undefined);
  if (!manifest?.isFile()) {
    throw new LeaseholdError('WORLD_MISSING', `${home} has no ${MANIFEST_FILE}`, {
      field: MANIFEST_FILE,
      value: file,
      remedy: `Write ${MANIFEST_FILE} there, or give the folder of a world.`,
    });
  }
  if (manifest.size <= MANIFEST_BYTES_MAX) return readFile(file, 'utf8');
  throw new LeaseholdError('MANIFEST_INVALID', `${file} has ${manifest.size} bytes`, {
    field: MANIFEST_FILE,
    value: `${manifest.size} bytes`,
    remedy: `Keep a manifest below ${MANIFEST_BYTES_MAX} bytes; data belongs into files of its own.`,
  });
}

type Read = {
  readonly file: string;
  readonly value: unknown;
  readonly line: (path: readonly string[]) => number | undefined;
};

function parse(file: string, text: string): Read {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map(
    (error): Fault => ({
      code: 'MANIFEST_INVALID',
      field: MANIFEST_FILE,
      value: printable(text.slice(error.pos[0], error.pos[1])),
      problem: error.message,
      remedy: 'Mend the YAML at this line.',
      line: lines.linePos(error.pos[0]).line,
    }),
  );
  const [first, ...rest] = faults;
  if (first) throw faultError(file, [first, ...rest]);
  const root = document.contents;
  return { file, value: toValue(file, document), line: (path) => lineOf(root, lines, path) };
}

function toValue(file: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    // An alias without an anchor, or aliases that multiply without end.
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new LeaseholdError(
      'MANIFEST_INVALID',
      `${file}: ${problem}`,
      { field: MANIFEST_FILE, value: 'an alias', remedy: 'Write the value out instead.' },
      { cause },
    );
  }
}

function check(read: Read): { readonly given: GivenManifest; readonly grid: Grid } {
  const given = read.value as GivenManifest;
  const kind = (given as { space?: { kind?: unknown } } | null)?.space?.kind;
  const faults = schemaFaults(manifestSchema(kind), read.value, read.line);
  let grid: Grid | undefined;
  if (!faults.some(({ field }) => /^(world\.yaml|space|blockCells|margin)\b/.test(field))) {
    try {
      grid = gridOf(given);
    } catch (error) {
      if (!hasCode(error, 'SPACE_INVALID')) throw error;
      const { field, value, remedy } = error.detail;
      const line = read.line(field.split('.'));
      // The message begins with the field, as every line of the report does.
      const problem = error.message.slice(field.length + 2);
      faults.push({ code: 'SPACE_INVALID', field, value, problem, remedy, line });
    }
  }
  const [first, ...rest] = faults;
  if (first) throw faultError(read.file, [first, ...rest]);
  return { given, grid: grid ?? gridOf(given) };
}

function gridOf({ space, blockCells, margin }: GivenManifest): Grid {
  return new Grid(space as SpaceSpec, {
    ...(blockCells === undefined ? {} : { blockCells }),
    ...(margin === undefined ? {} : { margin }),
  });
}

type Tell = (path: readonly string[], fault: Omit<Fault, 'field' | 'line'>) => void;

/** Every component in exactly one layer, or all in one when the manifest names none. */
function layersOf(given: GivenManifest, simulation: Simulation, tell: Tell): Manifest['layers'] {
  const names = simulation.components.map(({ schema }) => schema.name);
  if (given.layers === undefined) return { [DEFAULT_LAYER]: names };
  const layers: Record<string, readonly string[]> = {};
  const layerOf = new Map<string, string>();
  for (const [layer, listed] of Object.entries(given.layers as Record<string, unknown>)) {
    const path = ['layers', layer];
    tellName(path, layer, tell);
    const list = listed === 'all' ? names : listed;
    if (!Array.isArray(list) || list.length === 0) {
      const remedy = 'Use a list of component names, or all.';
      tell(path, fault(listed, `${printable(listed)} is not a list of component names`, remedy));
      continue;
    }
    layers[layer] = list as string[];
    for (const name of list as unknown[]) {
      const other = layerOf.get(String(name));
      if (!names.includes(String(name))) {
        const problem = `${printable(name)} is no component of the simulation`;
        const unknown = fault(name, problem, nearestKey(String(name), names));
        tell(path, { ...unknown, code: 'COMPONENT_UNKNOWN' });
      } else if (other !== undefined) {
        const remedy = 'Name each component in one layer only.';
        tell(path, fault(name, `${printable(name)} is already in the layer ${other}`, remedy));
      }
      layerOf.set(String(name), layer);
    }
  }
  for (const name of names.filter((known) => !layerOf.has(known))) {
    tell(['layers'], fault(name, `the component ${name} is in no layer`, 'Add it to a layer.'));
  }
  return layers;
}

const fault = (value: unknown, problem: string, remedy: string) =>
  ({ code: 'MANIFEST_INVALID', value: printable(value), problem, remedy }) as const;

function tellName(path: readonly string[], name: string, tell: Tell): void {
  try {
    checkName(path.join('.'), name);
  } catch (error) {
    if (!hasCode(error, 'NAME_INVALID')) throw error;
    const problem = `${error.detail.value} is not a name`;
    tell(path, { ...fault(name, problem, error.detail.remedy), code: 'NAME_INVALID' });
  }
}

/** A world folder need not have node_modules: what it imports of ours is what runs it. */
let isLinked = false;
function linkOurPackages(): void {
  if (isLinked) return;
  isLinked = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!specifier.startsWith('@leasehold/')) return nextResolve(specifier, context);
      try {
        return nextResolve(specifier, context);
      } catch {
        return nextResolve(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

async function importModule(home: string, module: string): Promise<Simulation> {
  const file = resolve(home, module);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    throw new LeaseholdError('WORLD_MISSING', `the simulation module ${file} is not there`, {
      field: 'module',
      value: module,
      remedy: `Correct module in ${MANIFEST_FILE}, or write the file.`,
    });
  }
  linkOurPackages();
  const exported = await importFile(file, module);
  const simulation = exported['default'];
  if (isSimulation(simulation)) return simulation;
  const what =
    'default' in exported ? 'a default export that is no simulation' : 'no default export';
  throw new LeaseholdError('MODULE_INVALID', `${file} has ${what}`, {
    field: 'module',
    value: module,
    remedy: "Write: export default simulation({ components, systems }); see '@leasehold/sdk'.",
  });
}

async function importFile(file: string, module: string): Promise<Record<string, unknown>> {
  try {
    const imported: unknown = await import(/* @vite-ignore */ pathToFileURL(file).href);
    return imported as Record<string, unknown>;
  } catch (cause) {
    // A wrong component or system says it better itself.
    if (cause instanceof LeaseholdError) throw cause;
    const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new LeaseholdError(
      'MODULE_INVALID',
      `${file} cannot be loaded: ${message}`,
      { field: 'module', value: module, remedy: 'Mend the module; its own error is above.' },
      { cause },
    );
  }
}

/** The `manifestHash` of a world of another name with these settings, as a registry keeps them. */
export function manifestHashOf(world: string, fixed: FixedSettings): string {
  const number = (name: string): number => Number(fixed[name] ?? 0);
  const kind = fixed['space.kind'] as Manifest['space']['kind'];
  const named = fixed['layers'];
  const layers = typeof named === 'string' ? named.split(', ') : [DEFAULT_LAYER];
  return hash({
    ...{ world, blockCells: number('blockCells'), seed: number('seed') },
    space: {
      ...{ kind, cell: number('space.cell') },
      ...{ width: number('space.width'), height: number('space.height') },
    } as SpaceSpec,
    layers: Object.fromEntries(layers.map((layer) => [layer, []])),
  });
}

type Hashed = Pick<Manifest, 'world' | 'space' | 'blockCells' | 'seed' | 'layers'>;

function hash({ world, space, blockCells, seed, layers }: Hashed): string {
  const { kind, cell } = space;
  const hasher = new Hasher().text(world).text(kind).f64(cell);
  if (space.kind !== 'wgs84') hasher.f64(space.width).f64(space.height);
  hasher.f64(blockCells).f64(seed);
  const names = Object.keys(layers);
  // Each is known to the others by the number of its place. A single one has no others.
  if (names.length > 1) for (const name of names) hasher.text(name);
  return hasher.hex();
}
