/** What a prefab is, and what it is checked against. Pure. */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type ComponentSchema,
  type ComponentValues,
  canonicalJson,
  type FieldSchema,
  type Json,
  PREFAB_COMPONENT,
} from '@leasehold/protocol';

export type Prefab = {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly description: string;
  /**
   * Every field of every component that it gives, but the position: what the file leaves out is the
   * field's initial value.
   */
  readonly components: ComponentValues;
};

/** The components of a world by name, whatever their layers. */
export type Components = ReadonlyMap<string, ComponentSchema>;

/**
 * Throws `PREFAB_INVALID` for a world whose entities cannot remember their prefab: it lacks the
 * component, or has another of that name.
 */
export function checkedComponents(schemas: readonly ComponentSchema[]): Components {
  const components = new Map(schemas.map((schema) => [schema.name, schema]));
  const own = components.get(PREFAB_COMPONENT);
  const kinds = ['name', 'version'].map(
    (name) => own?.fields.find((field) => field.name === name)?.kind,
  );
  if (kinds.every((kind) => kind === 'string')) return components;
  const has = own === undefined ? 'has no component' : 'has another component';
  throw new LeaseholdError('PREFAB_INVALID', `the world ${has} ${PREFAB_COMPONENT}`, {
    field: PREFAB_COMPONENT,
    value: own === undefined ? 'nothing' : own.fields.map(({ name }) => name).join(', '),
    remedy:
      "Add it to the module: import { Prefab } from '@leasehold/prefabs/component', and list it in " +
      'components.',
  });
}

/** Where an entity is: given when it is made, never by its prefab. */
export const isPosition = ({ spatial }: ComponentSchema, field: string): boolean =>
  spatial?.includes(field) ?? false;

/** A value as the stored field gives it back. */
export function storedValue({ kind }: FieldSchema, value: Json): Json {
  return kind === 'f32' ? Math.fround(value as number) : value;
}

/** The order of keys counts for nothing. A number that is none is the same as nothing. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  const areObjects = isObject(a) && isObject(b);
  return areObjects && canonicalJson(a, PREFAB_COMPONENT) === canonicalJson(b, PREFAB_COMPONENT);
}

const isObject = (value: Json | undefined): boolean => typeof value === 'object' && value !== null;
