/**
 * A snapshot as one file that needs no database: a line of JSON with its facts, one for each cell and
 * layer in their order, one for each that had something on its way, and a last one with its totals and the hash of all lines before. Rows are as
 * they were captured, so what is read from the file is the same snapshot. See `import-file.ts`.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { CapturedCell, CapturedFlight } from './captured.ts';
import { cursorOf, type Database } from './database.ts';
import { openSnapshot, readCells, readFlights } from './reader.ts';

/** Of the file; what is in its cells has the format of the snapshot. */
export const FILE_FORMAT = 1;

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');

/** Ends the stream. Errors: those of `readCells`, and of the stream. */
export async function exportSnapshot(db: Database, id: string, into: Writable): Promise<void> {
  await pipeline(Readable.from(exportedLines(db, id)), into);
}

async function* exportedLines(db: Database, id: string): AsyncGenerator<string> {
  const { facts, totals, hash } = await openSnapshot(db, id);
  const lines = createHash('sha256');
  const line = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`;
    lines.update(text);
    return text;
  };
  yield line({ leasehold: 'snapshot', format: FILE_FORMAT, facts });
  for await (const cell of readCells(db, id)) yield line(cellLine(cell));
  for await (const flight of readFlights(db, id)) yield line(flightLine(flight));
  yield line({ end: totals, hash, sha256: lines.copy().digest('hex') });
}

function cellLine({ rows, ...position }: CapturedCell) {
  return { ...position, rows: base64(rows) };
}

function flightLine({ channel, posts, ...place }: CapturedFlight) {
  return {
    ...place,
    channel: channel.map(({ body, ...entry }) => ({ ...entry, body: base64(body) })),
    posts: posts.map(({ id, body }) => ({ id, body: base64(body) })),
  };
}

/**
 * A FeatureCollection with a feature for each entity, in no order. Ends the stream. Errors: those of
 * `openSnapshot`, and of the stream.
 */
export async function exportGeoJson(db: Database, id: string, into: Writable): Promise<void> {
  await pipeline(Readable.from(features(db, id)), into);
}

type FeatureRow = { feature: string };

/** Fifteen digits give back what a position was. */
const FEATURES = `
select json_build_object(
         'type', 'Feature', 'id', id, 'geometry', st_asgeojson(geometry, 15)::json,
         'properties', json_build_object(
           'prefab', prefab, 'cell', cell, 'inFlight', in_flight, 'components', components)
       )::text as feature
  from history.entities where snapshot = $1`;

async function* features(db: Database, id: string): AsyncGenerator<string> {
  await openSnapshot(db, id);
  yield '{"type":"FeatureCollection","features":[';
  let before = '\n';
  for await (const { feature } of cursorOf<FeatureRow>(db, FEATURES, [id])) {
    yield `${before}${feature}`;
    before = ',\n';
  }
  yield '\n]}\n';
}

/** Compressed if its name ends in `.gz`. What fails leaves no file, and an older one as it was. */
export async function writeFileOf(
  path: string,
  write: (into: Writable) => Promise<void>,
): Promise<void> {
  const part = `${path}.part`;
  try {
    const file = createWriteStream(part, { flush: true });
    if (path.endsWith('.gz')) {
      const zip = createGzip();
      await Promise.all([write(zip), pipeline(zip, file)]);
    } else {
      await write(file);
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
