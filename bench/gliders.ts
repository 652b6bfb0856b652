/** A world of gliders of any size, in a folder of its own. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CELL = 100;
/** Small worlds have enough blocks for several pods all the same. */
const SMALL_CELLS = 256;

export type Extent = {
  /** A square number: as many columns as rows. */
  readonly cells: number;
  readonly entities: number;
  readonly tickHz: number;
  /** Another one that has the parameter `gliders`. */
  readonly module?: string;
};

export async function openGliders(extent: Extent) {
  const { cells, entities, tickHz, module = 'scale-world.ts' } = extent;
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-gliders-'));
  const side = Math.sqrt(cells) * CELL;
  const space = { kind: 'torus', width: side, height: side, cell: CELL };
  await copyFile(fileURLToPath(new URL(module, import.meta.url)), join(folder, 'world.ts'));
  const lines = [
    'world: bench',
    'module: world.ts',
    `space: ${JSON.stringify(space)}`,
    `blockCells: ${cells > SMALL_CELLS ? 4 : 2}`,
    `tickHz: ${tickHz}`,
    `params: { gliders: ${entities} }`,
    '',
  ];
  await writeFile(join(folder, 'world.yaml'), lines.join('\n'));
  return { folder, close: () => rm(folder, { recursive: true, force: true }) };
}
