import {
  type ComponentSchema,
  type FieldKind,
  layerSchema,
  type RegistryRecord,
  schemaJson,
} from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { checkStoredSchema } from './stored-schema.ts';

const speed = (version: number, kind: FieldKind): ComponentSchema => ({
  name: 'speed',
  version,
  fields: [{ name: 'v', kind, initial: 0 }],
});
const stored = layerSchema('main', [speed(1, 'f32')]);
const store = { world: 'w', getSchema: async () => schemaJson(stored) };
const record: RegistryRecord = {
  ...{ world: 'w', incarnation: 1, state: 'ready' as const, seededAt: '', manifestHash: '' },
  ...{ schemaHash: stored.hash, layer: 'main' },
};
const check = (component: ComponentSchema, layer = 'main') =>
  checkStoredSchema({ read: async () => record }, store, layerSchema(layer, [component]));

test('a module that what is stored can become is taken', async () => {
  await expect(check(speed(1, 'f32'))).resolves.toBeUndefined();
  await expect(check(speed(2, 'f64'))).resolves.toBeUndefined();
  await expect(check(speed(1, 'u8'), 'other')).resolves.toBeUndefined();
});

test('one that it cannot become is refused by component and field', async () => {
  await expect(check(speed(2, 'u8'))).rejects.toMatchObject({
    code: 'SCHEMA_INCOMPATIBLE',
    detail: { field: 'speed.v' },
  });
});
