/** Turns `db/lua` into the function library and its types. Reads files, writes none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSignature } from './header.ts';
import { librarySource } from './lua-source.ts';
import { librarySourceTs } from './ts-source.ts';

const ROOT = join(import.meta.dirname, '../../../..');

/** Generated files by their paths from the root of the repository. */
export function generate(root: string = ROOT): ReadonlyMap<string, string> {
  const folder = join(root, 'db/lua');
  const signatures = readdirSync(folder)
    .filter((file) => file.endsWith('.lua'))
    .sort()
    .map((file) => readSignature(file.slice(0, -4), readFileSync(join(folder, file), 'utf8')));
  const includes = new Map<string, string>();
  const include = (path: string): string => {
    const text = includes.get(path) ?? readFileSync(join(folder, `${path}.lua`), 'utf8');
    includes.set(path, text);
    return text;
  };
  const lua = librarySource(signatures, include);
  return new Map([
    ['packages/live-store/src/generated/library.ts', librarySourceTs(signatures, lua)],
  ]);
}
