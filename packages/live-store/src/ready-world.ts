/** What a process must know of the stored world before it may touch it. */
import { LeaseholdError } from '@leasehold/kernel';
import {
  type LayerSchema,
  parseSchema,
  type Registry,
  type SchemaResolver,
  type Store,
} from '@leasehold/protocol';

/** The incarnation that processes may work on. Errors: `WORLD_NOT_READY`. */
export async function readyIncarnation(registry: Registry, world: string): Promise<number> {
  const record = await registry.read(world);
  if (record?.state === 'ready') return record.incarnation;
  const value = record === undefined ? 'not seeded' : 'being seeded';
  throw new LeaseholdError('WORLD_NOT_READY', `world ${world} is ${value}`, {
    field: 'WORLD',
    value: world,
    remedy: 'Start it with leasehold run, which seeds a world once; the rest comes after that.',
  });
}

/** Schemas that stored bodies may be written in, by hash. Errors: those of `parseSchema`. */
export async function storedSchemas(store: Store, current: LayerSchema): Promise<SchemaResolver> {
  const known = new Map<string, LayerSchema>([[current.hash, current]]);
  for (const [hash, json] of await store.schemas()) {
    if (!known.has(hash)) known.set(hash, parseSchema(json));
  }
  return (hash) => known.get(hash);
}
