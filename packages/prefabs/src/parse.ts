/**
 * Reads the files of prefabs: one prefab a file, named for it. All faults of all files are told at
 * once.
 *
 *   # prefabs/wolf.yaml
 *   description: Hunts sheep.
 *   components:
 *     energy: {value: 20}
 */
import { hasCode, NAME_PATTERN } from '@leasehold/kernel';
import {
  type ComponentSchema,
  type ComponentValues,
  canonicalJson,
  type FieldSchema,
  isOfKind,
  type Json,
  PREFAB_COMPONENT,
} from '@leasehold/protocol';
import { isMap, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { type PrefabFault, prefabError, printable } from './faults.ts';
import { type Components, isPosition, type Prefab, storedValue } from './prefab.ts';

export type PrefabFile = {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
};

const ENDING = /\.(ya?ml|json)$/;
const KEYS = ['description', 'components'];

/** Whether a file in the folder of prefabs is one; others may lie there, too. */
export const isPrefabFile = (path: string): boolean => ENDING.test(path);

/** By name, ascending. Throws `PREFAB_INVALID`; `where` names the files, as in its message. */
export function parsePrefabs(
  files: readonly PrefabFile[],
  components: Components,
  where: string,
): ReadonlyMap<string, Prefab> {
  const faults: PrefabFault[] = [];
  const prefabs = readPrefabs(files, components, faults);
  const [first, ...rest] = faults;
  if (first !== undefined) throw prefabError(where, [first, ...rest]);
  return prefabs;
}

/** What an older version still means to the components as they are now; faults are passed over. */
export function olderPrefabs(
  files: readonly PrefabFile[],
  components: Components,
): ReadonlyMap<string, Prefab> {
  return readPrefabs(files, components, []);
}

function readPrefabs(
  files: readonly PrefabFile[],
  components: Components,
  faults: PrefabFault[],
): ReadonlyMap<string, Prefab> {
  const prefabs = new Map<string, Prefab>();
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const reading = new Reading(file, components, faults);
    const prefab = reading.prefab();
    const other = prefabs.get(prefab.name);
    if (other !== undefined) {
      const problem = `${other.file} has the same name`;
      reading.tell([], prefab.name, problem, 'Give each prefab a name of its own.');
    }
    prefabs.set(prefab.name, prefab);
  }
  return prefabs;
}

class Reading {
  readonly #file: PrefabFile;
  readonly #components: Components;
  readonly #faults: PrefabFault[];
  readonly #lines = new LineCounter();
  #root: ParsedNode | null = null;

  constructor(file: PrefabFile, components: Components, faults: PrefabFault[]) {
    this.#file = file;
    this.#components = components;
    this.#faults = faults;
  }

  prefab(): Prefab {
    const { path } = this.#file;
    const name = path.replace(ENDING, '').split('/').at(-1) as string;
    if (!NAME_PATTERN.test(name)) {
      const remedy = 'Name the file with 1 to 64 letters, digits, _ or -.';
      this.tell([], name, `${printable(name)} is not a name`, remedy);
    }
    const read = this.#parsed();
    if (read === undefined) return { name, file: path, description: '', components: {} };
    const description = read['description'] ?? '';
    if (typeof description !== 'string') {
      this.tell(['description'], description, 'is no text', 'Write a text.');
    }
    return { name, file: path, description: String(description), components: this.#values(read) };
  }

  tell(path: readonly string[], value: unknown, problem: string, remedy: string): void {
    const field = path.join('.') || 'prefab';
    const line = this.#lineOf(path);
    const { path: file } = this.#file;
    this.#faults.push({ file, line, field, value: printable(value), problem, remedy });
  }

  /** Undefined: the text is no map, which has been told. */
  #parsed(): Readonly<Record<string, unknown>> | undefined {
    const options = { lineCounter: this.#lines, prettyErrors: false };
    const document = parseDocument(this.#file.text, options);
    const [error] = document.errors;
    if (error !== undefined) {
      const { line } = this.#lines.linePos(error.pos[0]);
      const what = { file: this.#file.path, line, field: 'prefab', value: 'YAML' };
      const remedy = 'Mend the YAML or JSON at this line.';
      this.#faults.push({ ...what, problem: error.message, remedy });
      return undefined;
    }
    this.#root = document.contents;
    const value = this.#plain(document);
    if (value === undefined) return undefined;
    if (!isRecord(value)) {
      this.tell([], value, 'is no map', 'Write components: and below it the components.');
      return undefined;
    }
    for (const key of Object.keys(value)) {
      if (KEYS.includes(key)) continue;
      this.tell([key], value[key], 'is no key that is known here', known(KEYS));
    }
    return value;
  }

  #plain(document: ReturnType<typeof parseDocument>): unknown {
    try {
      return document.toJS();
    } catch (error) {
      // An alias without an anchor, or aliases that multiply without end.
      const problem = error instanceof Error ? error.message : String(error);
      this.tell([], 'an alias', problem, 'Write the value out instead.');
      return undefined;
    }
  }

  #values({ components }: Readonly<Record<string, unknown>>): ComponentValues {
    if (!isRecord(components) || Object.keys(components).length === 0) {
      const remedy = 'Write components: and below it at least one component.';
      this.tell(['components'], components, 'names no component', remedy);
      return {};
    }
    const values: Record<string, Readonly<Record<string, Json>>> = {};
    for (const [name, given] of Object.entries(components)) {
      const path = ['components', name];
      const schema = this.#components.get(name);
      if (name === PREFAB_COMPONENT) {
        this.tell(path, given, 'is given to each entity by itself', 'Leave it out.');
      } else if (schema === undefined) {
        const names = [...this.#components.keys()].filter((each) => each !== PREFAB_COMPONENT);
        this.tell(path, given, 'is no component of the world', known(names));
      } else values[name] = this.#fields(path, schema, given ?? {});
    }
    return values;
  }

  #fields(
    path: readonly string[],
    schema: ComponentSchema,
    given: unknown,
  ): Readonly<Record<string, Json>> {
    const mine = schema.fields.filter(({ name }) => !isPosition(schema, name));
    if (!isRecord(given)) {
      const remedy = 'Write the fields below it, or {} for their initial values.';
      this.tell(path, given, `${printable(given)} is no map of fields`, remedy);
      return {};
    }
    for (const [name, value] of Object.entries(given)) {
      const at = [...path, name];
      const field = mine.find((each) => each.name === name);
      if (isPosition(schema, name)) {
        this.tell(at, value, 'is the position, which is given when it is spawned', 'Leave it out.');
      } else if (field === undefined) {
        const names = mine.map((each) => each.name);
        this.tell(at, value, `is no field of ${schema.name}`, known(names));
      } else if (!isStorable(field, value)) {
        const remedy = `Give a value that a ${field.kind} can hold.`;
        this.tell(at, value, `${printable(value)} is no ${field.kind}`, remedy);
      }
    }
    return Object.fromEntries(
      mine.flatMap((field) => {
        const isGiven = Object.hasOwn(given, field.name);
        const value = isGiven ? given[field.name] : field.initial;
        return isStorable(field, value) ? [[field.name, storedValue(field, value as Json)]] : [];
      }),
    );
  }

  /** The line of a key, or of the nearest above it that is there. */
  #lineOf(path: readonly string[]): number | undefined {
    let node: unknown = this.#root;
    let line: number | undefined;
    for (const key of path) {
      if (!isMap(node)) break;
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) break;
      const range = isScalar(pair.key) ? pair.key.range : undefined;
      if (range) line = this.#lines.linePos(range[0]).line;
      node = pair.value;
    }
    return line;
  }
}

function isStorable({ kind }: FieldSchema, value: unknown): boolean {
  if (kind !== 'json') return isOfKind(kind, value);
  try {
    canonicalJson(value, kind);
    return true;
  } catch (error) {
    // YAML has numbers and dates that JSON has not.
    if (hasCode(error, 'FIELD_KIND_MISMATCH')) return false;
    throw error;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const known = (names: readonly string[]): string => `Known here: ${names.join(', ')}.`;
