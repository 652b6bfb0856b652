/** What is computed of the facts of a snapshot, and whether this build understands them. Pure. */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import { type LayerSchema, parseSchema, type SchemaResolver } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import type { SnapshotFacts, SpaceFacts } from './captured.ts';

/** What this build writes, and the newest that it reads. Raised whenever older builds would err. */
export const SNAPSHOT_FORMAT = 1;

/** The reference system of its geometries: longitude and latitude, or none. */
export const sridOf = ({ kind }: SpaceFacts): number => (kind === 'wgs84' ? 4326 : 0);

export function gridOf({ space }: Pick<SnapshotFacts, 'space'>): Grid {
  const { kind, width, height, cell } = space;
  return new Grid(kind === 'wgs84' ? { kind, cell } : { kind, width, height, cell });
}

/** Throws `NAME_INVALID`, `SNAPSHOT_TOO_NEW` or `SNAPSHOT_INVALID`. */
export function checkFacts(facts: SnapshotFacts): void {
  checkName('snapshot', facts.id);
  checkName('world', facts.world);
  checkFormat(facts);
  const unknown = facts.layers.find(({ schemaHash }) => facts.schemas[schemaHash] === undefined);
  if (facts.layers.length > 0 && unknown === undefined) return;
  throw new LeaseholdError('SNAPSHOT_INVALID', `snapshot ${facts.id}: a layer has no schema`, {
    field: 'layers',
    value: unknown?.layer ?? 'none',
    remedy: 'Give the schema of each layer with the facts.',
  });
}

export function checkFormat({ id, format }: Pick<SnapshotFacts, 'id' | 'format'>): void {
  if (format <= SNAPSHOT_FORMAT) return;
  const message = `snapshot ${id} has format ${format}; this build reads up to ${SNAPSHOT_FORMAT}`;
  throw new LeaseholdError('SNAPSHOT_TOO_NEW', message, {
    field: 'snapshot',
    value: id,
    remedy: 'Use the version of the product that took it, or a newer one.',
  });
}

/** The schemas that bodies of the snapshot are written in; each is read once. */
export function schemasOf({ schemas }: Pick<SnapshotFacts, 'schemas'>): SchemaResolver {
  const known = new Map<string, LayerSchema>();
  return (hash) => {
    const before = known.get(hash);
    const json = schemas[hash];
    if (before !== undefined || json === undefined) return before;
    const schema = parseSchema(json);
    known.set(hash, schema);
    return schema;
  };
}
