/** Rows of a blob as people ask for them: a point, a prefab, and what components say. */
import {
  componentIndex,
  componentsOf,
  decodeCheckpoint,
  decodeRows,
  fieldIndex,
  type LayerSchema,
  PREFAB_COMPONENT,
  type SchemaResolver,
  type Table,
} from '@leasehold/protocol';
import type { CopyFrames } from './copy-frames.ts';

/** Content that is kept once: rows of a cell, or of a channel entry. */
export type BlobBody = {
  readonly sha256: Buffer;
  readonly kind: 'cell' | 'entry';
  readonly bytes: Uint8Array;
};

/** Errors: those of the decoders. */
export function tableOf({ kind, bytes }: BlobBody, schemas: SchemaResolver): Table {
  return kind === 'cell' ? decodeCheckpoint(bytes, schemas).table : decodeRows(bytes, schemas).rows;
}

export type Place = { readonly batch: number; readonly blob: number; readonly srid: number };

/** Writes all rows of the table; after each it asks `isFull`. */
export async function writeRows(
  table: Table,
  { batch, blob, srid }: Place,
  frames: CopyFrames,
  full: () => Promise<void> | undefined,
): Promise<void> {
  const { xs, ys, prefabs, prefabBit } = columnsOf(table);
  for (let row = 0; row < table.count; row++) {
    frames
      .row(6)
      .int4(batch)
      .int8(blob)
      .int8(table.ids[row] as number);
    if (xs === undefined || ys === undefined) frames.nothing();
    else frames.point(xs[row] as number, ys[row] as number, srid);
    const hasPrefab = (((table.masks[row] as number) >>> prefabBit) & 1) === 1;
    if (prefabs === undefined || !hasPrefab) frames.nothing();
    else frames.text(withoutNul(prefabs[row] as string));
    frames.jsonb(storableJson(JSON.stringify(componentsOf(table, row))));
    if (frames.isFull) await full();
  }
}

function columnsOf({ schema, columns }: Table) {
  const [c, x, y] = spatialOf(schema);
  const own = componentIndex(schema, PREFAB_COMPONENT);
  const component = schema.components[own];
  const name = component === undefined ? -1 : fieldIndex(component, 'name');
  const isText = component?.copyOf === undefined && component?.fields[name]?.kind === 'string';
  return {
    xs: columns[c]?.[x],
    ys: columns[c]?.[y],
    prefabs: isText ? columns[own]?.[name] : undefined,
    prefabBit: Math.max(own, 0),
  };
}

/** The component that says where entities are, and its fields; −1 in layers that only copy it. */
function spatialOf({ components }: LayerSchema): [component: number, x: number, y: number] {
  const c = components.findIndex(({ spatial, copyOf }) => spatial !== undefined && !copyOf);
  const component = components[c];
  if (component?.spatial === undefined) return [-1, -1, -1];
  const [x, y] = component.spatial;
  return [c, fieldIndex(component, x), fieldIndex(component, y)];
}

/** A backslash pair, or an escape that PostgreSQL has no text for: NUL and halves of characters. */
const UNSTORABLE = /\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** What no database text can hold is shown as U+FFFD; the blob has it as it was. */
export function storableJson(json: string): string {
  if (!json.includes('\\u')) return json;
  return json.replace(UNSTORABLE, (found) => (found === '\\\\' ? found : '\ufffd'));
}

const withoutNul = (text: string): string => text.replaceAll('\0', '\ufffd');
