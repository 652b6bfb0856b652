/**
 * Which module a process runs: a hash of all that it may be made of, so that two processes know
 * whether they run the same without asking git. It never runs anything.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Hasher, LeaseholdError } from '@leasehold/kernel';
import { canonicalJson, type Json } from '@leasehold/protocol';
import type { LoadedWorld } from './load.ts';
import type { Manifest } from './manifest.ts';

/** What a module may import from its own folder. Tests are no part of it. */
const SOURCE = /^(?!.*\.test\.).*\.([cm]?[jt]s|json|wasm)$/;
const SKIPPED = /^(node_modules|\..*)$/;
/** A folder with more is no world's: somebody has named the wrong one. */
const FILES_MAX = 10_000;
const MARK_DIGITS = 12;

/**
 * Sixteen hex digits over the declared components and every source file in the world's folder.
 * Throws `LIMIT_EXCEEDED` for a folder with too many.
 */
export async function moduleVersion({
  folder,
  manifest,
  simulation,
}: Pick<LoadedWorld, 'folder' | 'manifest' | 'simulation'>): Promise<string> {
  const hasher = new Hasher();
  const schemas = simulation.components.map(({ schema }) => schema);
  hasher.text(canonicalJson(schemas as unknown as Json, 'components'));
  const own = manifest.prefabs === undefined ? '' : resolve(folder, manifest.prefabs.folder);
  const module = resolve(folder, manifest.module);
  const files = new Set([...(await sources(folder, own)), module]);
  for (const file of [...files].sort()) {
    hasher.text(relative(folder, file)).bytes(await readFile(file));
  }
  return hasher.hex();
}

type StartSettings = Pick<Manifest, 'tickHz' | 'margin' | 'params' | 'lease' | 'index'>;

/**
 * What a pod runs, as a number, which is all that its report can hold: the version of its module and
 * the settings that it read when it started.
 */
export function moduleMark(version: string, manifest: StartSettings): number {
  const { tickHz, margin, params, lease, index } = manifest;
  const settings = canonicalJson({ tickHz, margin, params, lease, index } as Json, 'world.yaml');
  const mark = new Hasher().text(version).text(settings).hex();
  return Number.parseInt(mark.slice(0, MARK_DIGITS), 16);
}

async function sources(folder: string, prefabs: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory() && !SKIPPED.test(entry.name) && path !== prefabs) folders.push(path);
      if (entry.isFile() && SOURCE.test(entry.name)) found.push(path);
    }
    if (found.length <= FILES_MAX) continue;
    throw new LeaseholdError('LIMIT_EXCEEDED', `${folder} has more than ${FILES_MAX} files`, {
      field: 'module',
      value: folder,
      remedy: 'Keep the world in a folder of its own.',
    });
  }
  return found;
}
