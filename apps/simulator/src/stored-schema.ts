/** Whether this module can read what is stored, before the pod takes its first cell. */
import type { Log } from '@leasehold/kernel';
import { storedSchemas } from '@leasehold/live-store';
import {
  type LayerSchema,
  parseSchema,
  planMigration,
  type Registry,
  type SchemaResolver,
  type Store,
  schemaJson,
} from '@leasehold/protocol';
import { patiently } from '@leasehold/service';

/**
 * Makes the module's schema known to the world and gives those that bodies are written in. Errors:
 * `SCHEMA_INCOMPATIBLE`, those of the network after a while.
 */
export async function openSchemas(
  registry: Registry,
  store: Store,
  schema: LayerSchema,
  log: Log,
): Promise<SchemaResolver> {
  await patiently(log, () => checkStoredSchema(registry, store, schema));
  await patiently(log, () => store.putSchema(schema.hash, schemaJson(schema)));
  return patiently(log, () => storedSchemas(store, schema));
}

/**
 * The schema of the world as it was applied last can become this module's. Throws
 * `SCHEMA_INCOMPATIBLE`, naming component and field: so a wrong module ends with its first pod, not
 * with the first cell that each of them loads.
 */
export async function checkStoredSchema(
  registry: Pick<Registry, 'read'>,
  store: Pick<Store, 'world' | 'getSchema'>,
  schema: LayerSchema,
): Promise<void> {
  const record = await registry.read(store.world);
  const isFirst = record?.layer === undefined || record.layer === schema.layer;
  const hash = isFirst ? record?.schemaHash : record.others?.[schema.layer];
  if (hash === undefined || hash === schema.hash) return;
  const json = await store.getSchema(hash);
  const stored = json === undefined ? undefined : parseSchema(json);
  if (stored?.layer === schema.layer) planMigration(stored, schema);
}
