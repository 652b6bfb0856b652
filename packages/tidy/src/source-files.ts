/** The files the house rules look at, read once. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type SourceFile = {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
};

export const root: string = join(import.meta.dirname, '..', '..', '..');

const PLACES: readonly string[] = [
  'packages',
  'apps',
  'examples',
  'bench',
  'db',
  'docs',
  'scripts',
  '.ci',
];
const SKIPPED: ReadonlySet<string> = new Set([
  'node_modules',
  'dist',
  '.leasehold',
  '.turbo',
  'coverage',
]);

/** Every text file of the repository's own whose name ends in one of `endings`. */
export function sourceFiles(...endings: readonly string[]): SourceFile[] {
  const exclude = (path: string): boolean => path.split('/').some((part) => SKIPPED.has(part));
  const inPlaces = globSync(
    PLACES.map((place) => `${place}/**/*`),
    { cwd: root, exclude },
  );
  return [...globSync('*', { cwd: root, exclude }), ...inPlaces]
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .filter((path) => path !== 'package-lock.json')
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Whether a path exists that a file of the repository names relative to itself. */
export function existsBeside(file: SourceFile, relative: string): boolean {
  return existsSync(join(root, dirname(file.path), relative));
}

export const isTest = (path: string): boolean => /\.test(-d)?\.ts$/.test(path);
/** What only tests import: a suite that several packages run, a fixture, generators of values. */
export const isTestSupport = (path: string): boolean =>
  /(-suite(-\w+)?|-fixture|\/testing)\.ts$/.test(path);
export const isGenerated = (path: string): boolean => /\/generated\//.test(path);

const TOKENS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** TypeScript without its comments; strings stay. */
export function codeOf(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith('/') ? ' ' : token));
}

/** TypeScript without its comments and without what its strings say. */
export function bareCodeOf(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith('/') ? ' ' : "''"));
}
