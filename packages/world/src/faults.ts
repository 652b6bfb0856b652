/**
 * Faults of a manifest: collected all, told all in one error, each with its key, value, line and
 * remedy.
 */
import { type ErrorCode, LeaseholdError } from '@leasehold/kernel';
import jsonschema, { type Schema as JsonSchema, type ValidationError } from 'jsonschema';
import { isMap, isScalar, type LineCounter, type ParsedNode } from 'yaml';
import type { Schema } from './manifest.ts';

export type Fault = {
  readonly code: ErrorCode;
  /** Dotted path of the key, as the manifest nests it. */
  readonly field: string;
  readonly value: string;
  readonly problem: string;
  readonly remedy: string;
  readonly line?: number | undefined;
};

/** More are not read by anybody; a manifest that is no manifest has hundreds. */
const FAULTS_TOLD_MAX = 20;
const VALUE_CHARACTERS_MAX = 60;

/** One error of all faults. Its code is theirs if they agree, else `MANIFEST_INVALID`. */
export function faultError(file: string, faults: readonly [Fault, ...Fault[]]): LeaseholdError {
  const [first] = faults;
  const code = faults.every((fault) => fault.code === first.code) ? first.code : 'MANIFEST_INVALID';
  const lines = faults.slice(0, FAULTS_TOLD_MAX).map((fault) => {
    const at = fault.line === undefined ? '' : `line ${fault.line}: `;
    return `${at}${fault.field}: ${fault.problem}. ${fault.remedy}`;
  });
  const more = faults.length - lines.length;
  if (more > 0) lines.push(`and ${more} more.`);
  const message =
    faults.length === 1
      ? `${file}: ${lines[0]}`
      : `${file} has ${faults.length} faults:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  return new LeaseholdError(code, message, {
    field: first.field,
    value: first.value,
    remedy: first.remedy,
  });
}

/** A value as a message shows it: on one line, and not for long. */
export function printable(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}

/** The line of a key, or of the nearest key above it that is there. */
export function lineOf(
  root: ParsedNode | null,
  lines: LineCounter,
  path: readonly string[],
): number | undefined {
  let node: unknown = root;
  let line: number | undefined;
  for (const key of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    if (pair === undefined) break;
    const range = isScalar(pair.key) ? pair.key.range : undefined;
    if (range) line = lines.linePos(range[0]).line;
    node = pair.value;
  }
  return line;
}

type Place = {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly value: unknown;
};

/** Every fault of a value against a schema of strict objects. */
export function schemaFaults(
  schema: Schema,
  value: unknown,
  line: (path: readonly string[]) => number | undefined,
): Fault[] {
  const { errors } = jsonschema.validate(value, schema as JsonSchema);
  return errors.map((error) => {
    const place = placeOf(schema, value, error.path.map(String));
    // What is missing has no line; what it is missing from has.
    const key = error.name === 'additionalProperties' ? [String(error.argument)] : [];
    return { ...faultOf(error, place), line: line([...place.path, ...key]) };
  });
}

function faultOf(error: ValidationError, place: Place): Fault {
  const key = String(error.argument);
  const properties = place.schema.properties ?? {};
  switch (error.name) {
    case 'additionalProperties':
      return {
        code: 'MANIFEST_INVALID',
        field: [...place.path, key].join('.'),
        value: printable((place.value as Record<string, unknown>)[key]),
        problem: 'is no key that is known here',
        remedy: nearestKey(key, Object.keys(properties)),
      };
    case 'required':
      return {
        code: 'MANIFEST_INVALID',
        field: [...place.path, key].join('.'),
        value: 'nothing',
        problem: 'is missing',
        remedy: `Add ${key}: ${expected(properties[key])}.`,
      };
    default:
      return {
        code: codeOf(place, error.name),
        field: place.path.join('.') || 'world.yaml',
        value: printable(place.value),
        problem: `${printable(place.value)} is not ${expected(place.schema)}`,
        remedy: `Use ${expected(place.schema)}.`,
      };
  }
}

/** What is wrong with a name or with the measures of a space has a code of its own. */
function codeOf(place: Place, keyword: string): ErrorCode {
  if (keyword === 'pattern') return 'NAME_INVALID';
  if (place.path[0] === 'space' && keyword === 'exclusiveMinimum') return 'SPACE_INVALID';
  return 'MANIFEST_INVALID';
}

function placeOf(schema: Schema, value: unknown, path: readonly string[]): Place {
  for (const key of path) {
    schema = schema.properties?.[key] ?? {};
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return { path, schema, value };
}

/** What a schema asks for, in words that follow "is not" and "use". */
function expected(asked: Schema = {}): string {
  if (asked.enum) return `one of ${asked.enum.join(', ')}`;
  if (asked.pattern) return 'a name of 1 to 64 letters, digits, _ or -';
  if (asked.type === 'string') return 'a text';
  if (asked.type === 'object') {
    return asked.maxProperties
      ? `keys and values, at most ${asked.maxProperties}`
      : 'keys and values';
  }
  const noun = asked.type === 'integer' ? 'a whole number' : 'a number';
  if (asked.exclusiveMinimum !== undefined) return `${noun} above ${asked.exclusiveMinimum}`;
  return `${noun} from ${asked.minimum} to ${asked.maximum}`;
}

/** Names the known key that was probably meant, or all there are. */
export function nearestKey(key: string, known: readonly string[]): string {
  const bare = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const ranked = known
    .map((name) => ({ name, apart: editsBetween(bare(key), bare(name)) }))
    .sort((a, b) => a.apart - b.apart);
  const [nearest] = ranked;
  if (nearest && nearest.apart <= Math.max(1, Math.floor(nearest.name.length / 3))) {
    return `Did you mean ${nearest.name}?`;
  }
  return `Known here: ${known.join(', ')}.`;
}

/** Insertions, deletions and replacements that turn one text into the other. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
