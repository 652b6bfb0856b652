/**
 * `npm run generate` writes every generated file; with `--check` it writes nothing and fails if one
 * is out of date, so nobody edits them and nobody forgets them.
 *
 * A generator returns the files it owns, by path from the root of the repository.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './source-files.ts';

type GeneratedFiles = ReadonlyMap<string, string>;
type Generator = { readonly generate: () => GeneratedFiles | Promise<GeneratedFiles> };

const GENERATORS: readonly string[] = ['lua/generate.ts', 'docs/generate.ts'];

const isCheck = process.argv.includes('--check');
const stale: string[] = [];

for (const name of GENERATORS) {
  const path = join(import.meta.dirname, name);
  if (!existsSync(path)) continue;
  const generator: Generator = await import(pathToFileURL(path).href);
  for (const [file, text] of await generator.generate()) {
    const target = join(root, file);
    if (existsSync(target) && readFileSync(target, 'utf8') === text) continue;
    stale.push(file);
    if (!isCheck) writeFileSync(target, text);
  }
}

for (const file of stale) console.log(`${isCheck ? 'out of date' : 'written'}: ${file}`);
if (isCheck && stale.length > 0) {
  console.log('Run: npm run generate');
  process.exitCode = 1;
}
