/**
 * What the rows of a layer are made of. A schema is known by its hash, which every body carries, so
 * a reader knows whether it can read before it reads.
 */
import { assert, checkName, hashOf, LeaseholdError } from '@leasehold/kernel';
import { checkedDurability, type StoredDurability } from './durability.ts';
import { canonicalJson, type Json } from './json.ts';

/**
 * `entity` is an id below 2^53, 0 for none. `string` is well-formed text. `json` is replaced as a
 * whole, never changed in place.
 */
export type FieldKind =
  | 'f32'
  | 'f64'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'bool'
  | 'entity'
  | 'string'
  | 'json';

/** As a user writes it: a boolean for `bool`, a number for numbers and entities. */
export type FieldValue = Json;

export type FieldSchema = {
  readonly name: string;
  readonly kind: FieldKind;
  /** What a new row holds, and every row that lacks the component. */
  readonly initial: FieldValue;
  /**
   * How finely viewers see an f32 or f64: they get the nearest multiple. Finite and above 0; absent,
   * they get every bit. What is stored is the same with and without, and so are schema hash and
   * schema text, which leave it out.
   */
  readonly step?: number;
};

export type ComponentSchema = {
  readonly name: string;
  /** From 1; raised whenever the fields change. */
  readonly version: number;
  readonly fields: readonly FieldSchema[];
  /** The names of its two position fields, x then y. Both f32 or f64, never NaN or infinite. */
  readonly spatial?: readonly [string, string];
  /** When changes are told and what checkpoints hold; absent: in each tick, and all. */
  readonly durability?: StoredDurability;
  /** The layer that has it, where this one only keeps a copy of it; absent: it is the layer's own. */
  readonly copyOf?: string;
};

export type LayerSchema = {
  readonly layer: string;
  /** Ascending by name; a component's index is its bit in a row's mask. */
  readonly components: readonly ComponentSchema[];
  /** Sixteen hex digits over everything above but the steps of fields. */
  readonly hash: string;
};

/** Where a reader finds schemas that its own module no longer declares. */
export type SchemaResolver = (hash: string) => LayerSchema | undefined;

/** One bit per component in a 32-bit mask. */
export const COMPONENTS_MAX = 32;
/** One bit per field in a 32-bit change mark. */
export const FIELDS_MAX = 32;
/** Versions are for people; nobody gets near it. */
export const VERSION_MAX = 65_535;

export type Column =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | string[]
  | Json[];

/** The typed columns: every kind but `string` and `json`. */
export type Slab = Exclude<Column, string[] | Json[]>;

type IntegerRange = readonly [low: number, high: number];

/** What a kind is made of: bytes of a value in a slab, 0 for text. */
export const KINDS: Readonly<
  Record<FieldKind, { readonly bytes: number; readonly range?: IntegerRange }>
> = {
  f32: { bytes: 4 },
  f64: { bytes: 8 },
  u8: { bytes: 1, range: [0, 255] },
  u16: { bytes: 2, range: [0, 65_535] },
  u32: { bytes: 4, range: [0, 4_294_967_295] },
  i8: { bytes: 1, range: [-128, 127] },
  i16: { bytes: 2, range: [-32_768, 32_767] },
  i32: { bytes: 4, range: [-2_147_483_648, 2_147_483_647] },
  bool: { bytes: 1 },
  entity: { bytes: 8, range: [0, Number.MAX_SAFE_INTEGER] },
  string: { bytes: 0 },
  json: { bytes: 0 },
};

/** Names that would change what an object is instead of adding to it. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Checks the components and gives them their order and hash. Throws `NAME_INVALID`,
 * `COMPONENT_INVALID` or `FIELD_KIND_MISMATCH`, naming component and field.
 */
export function layerSchema(layer: string, components: readonly ComponentSchema[]): LayerSchema {
  checkName('layer', layer);
  if (components.length > COMPONENTS_MAX) {
    throw invalid(
      layer,
      `${components.length} components`,
      `at most ${COMPONENTS_MAX} fit a layer`,
    );
  }
  const sorted = components
    .map(checkedComponent)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  sorted.forEach((component, i) => {
    if (component.name !== sorted[i - 1]?.name) return;
    throw invalid(component.name, component.name, 'two components of a layer have this name');
  });
  const text = storedJson(layer, sorted);
  const hash = hashOf(new TextEncoder().encode(text));
  return Object.freeze({ layer, components: Object.freeze(sorted), hash });
}

/** What stored state depends on: all but how finely viewers see it. */
function storedJson(layer: string, components: readonly ComponentSchema[]): string {
  const stored = components.map(({ fields, ...component }) => ({
    ...component,
    fields: fields.map(({ name, kind, initial }) => ({ name, kind, initial })),
  }));
  return canonicalJson({ layer, components: stored }, 'schema');
}

function checkedComponent(component: ComponentSchema): ComponentSchema {
  const { name, version, fields, spatial } = component;
  checkName('component', name);
  if (!Number.isInteger(version) || version < 1 || version > VERSION_MAX) {
    throw invalid(`${name}.version`, String(version), `is not an integer in 1 … ${VERSION_MAX}`);
  }
  if (fields.length > FIELDS_MAX) {
    throw invalid(name, `${fields.length} fields`, `at most ${FIELDS_MAX} fit a component`);
  }
  const names = new Set<string>();
  for (const field of fields) {
    checkName(`${name}: field`, field.name);
    if (names.has(field.name) || RESERVED.has(field.name)) {
      throw invalid(`${name}.${field.name}`, field.name, 'is taken; choose another field name');
    }
    names.add(field.name);
  }
  const checked = fields.map((field) => checkedField(name, field));
  const durability = checkedDurability(component, component.durability);
  const { copyOf } = component;
  if (copyOf !== undefined) checkName(`${name}: layer`, copyOf);
  const kept = {
    ...{ name, version, fields: checked, ...(durability && { durability }) },
    ...(copyOf !== undefined && { copyOf }),
  };
  if (spatial === undefined) return Object.freeze(kept);
  const kinds = spatial.map((axis) => checked.find((field) => field.name === axis)?.kind);
  if (spatial.length !== 2 || spatial[0] === spatial[1] || !kinds.every(isFloat)) {
    const rule = 'must name two different f32 or f64 fields of the component';
    throw invalid(`${name}.spatial`, spatial.join(', '), rule);
  }
  const axes = [spatial[0], spatial[1]] as const;
  return Object.freeze({ ...kept, spatial: axes });
}

const isFloat = (kind: FieldKind | undefined): boolean => kind === 'f32' || kind === 'f64';

function checkedField(component: string, field: FieldSchema): FieldSchema {
  const at = `${component}.${field.name}`;
  const { name, kind, initial, step } = field;
  if (!Object.hasOwn(KINDS, kind)) {
    throw invalid(
      at,
      String(kind),
      `is no kind of field; kinds are ${Object.keys(KINDS).join(' ')}`,
    );
  }
  if (!isOfKind(kind, initial)) {
    throw new LeaseholdError('FIELD_KIND_MISMATCH', `${at}: its initial value is no ${kind}`, {
      field: at,
      value: String(initial),
      remedy: `Give the field an initial value that a finite ${kind} can hold.`,
    });
  }
  if (step !== undefined && !(isFloat(kind) && Number.isFinite(step) && step > 0)) {
    const rule = 'a step is a finite number above 0, and only f32 and f64 fields have one';
    throw invalid(`${at}.step`, String(step), rule);
  }
  if (isFloat(kind)) {
    const rounded = kind === 'f32' ? Math.fround(initial as number) : initial;
    return Object.freeze({ name, kind, initial: rounded, ...(step === undefined ? {} : { step }) });
  }
  if (kind !== 'json') return Object.freeze({ name, kind, initial });
  const copy = JSON.parse(canonicalJson(initial, at)) as Json;
  return Object.freeze({ name, kind, initial: frozen(copy) });
}

function frozen(value: Json): Json {
  if (value !== null && typeof value === 'object') Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** Whether a field of this kind can hold the value and give it back as it was (f32: rounded). */
export function isOfKind(kind: FieldKind, value: unknown): boolean {
  const { range } = KINDS[kind];
  if (range !== undefined) {
    return (
      Number.isInteger(value) && (value as number) >= range[0] && (value as number) <= range[1]
    );
  }
  if (kind === 'bool') return typeof value === 'boolean';
  if (kind === 'string') return typeof value === 'string' && value.isWellFormed();
  if (kind === 'json') return value !== undefined;
  if (typeof value !== 'number') return false;
  return Number.isFinite(kind === 'f32' ? Math.fround(value) : value);
}

function invalid(field: string, value: string, rule: string): LeaseholdError {
  return new LeaseholdError('COMPONENT_INVALID', `${field}: ${value}: ${rule}`, {
    field,
    value,
    remedy: 'Correct the declaration of the component.',
  });
}

/**
 * The text to keep beside the world's state, from which `parseSchema` makes the same schema, without
 * steps.
 */
export function schemaJson(schema: LayerSchema): string {
  return storedJson(schema.layer, schema.components);
}

/** Reads what `schemaJson` wrote. Anything else is `BODY_MALFORMED`. */
export function parseSchema(json: string): LayerSchema {
  try {
    const { layer, components } = JSON.parse(json) as LayerSchema;
    const schema = layerSchema(layer, components);
    if (schemaJson(schema) === json) return schema;
  } catch (cause) {
    throw malformedSchema(json, cause);
  }
  throw malformedSchema(json, undefined);
}

function malformedSchema(json: string, cause: unknown): LeaseholdError {
  return new LeaseholdError(
    'BODY_MALFORMED',
    'a stored schema cannot be read',
    {
      field: 'schema',
      value: String(json).slice(0, 80),
      remedy: 'The text is damaged or from a newer build; run `leasehold audit` on the world.',
    },
    { cause },
  );
}

/** The component's index in the schema, and so its bit in a mask; −1 if it is not there. */
export function componentIndex(schema: LayerSchema, name: string): number {
  return schema.components.findIndex((component) => component.name === name);
}

/** The field's index in its component; −1 if it is not there. */
export function fieldIndex(component: ComponentSchema, name: string): number {
  return component.fields.findIndex((field) => field.name === name);
}

/** The value as a column holds it: 0 or 1 for a bool, else itself. */
export function columnValue(field: FieldSchema, value: FieldValue): FieldValue {
  return field.kind === 'bool' ? Number(value) : value;
}

/** An empty column with room for `capacity` values, each 0 or absent: fill before use. */
export function emptyColumn(kind: FieldKind, capacity: number): Column {
  switch (kind) {
    case 'f32':
      return new Float32Array(capacity);
    case 'f64':
    case 'entity':
      return new Float64Array(capacity);
    case 'u8':
    case 'bool':
      return new Uint8Array(capacity);
    case 'u16':
      return new Uint16Array(capacity);
    case 'u32':
      return new Uint32Array(capacity);
    case 'i8':
      return new Int8Array(capacity);
    case 'i16':
      return new Int16Array(capacity);
    case 'i32':
      return new Int32Array(capacity);
    case 'string':
      return new Array<string>(capacity).fill('');
    case 'json':
      return new Array<Json>(capacity).fill(null);
    default:
      return assert(false, `kind ${kind satisfies never} is unknown`) as never;
  }
}
