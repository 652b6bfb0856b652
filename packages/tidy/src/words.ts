/** Which words the repository uses: those of the glossary, about the product and nothing else. */
import { bareCodeOf, type SourceFile } from './source-files.ts';

/** A part of a name that says nothing, or a second word for a noun of the glossary. */
const EMPTY_WORDS: ReadonlyMap<string, string> = new Map([
  ...['manager', 'helper', 'helpers', 'util', 'utils', 'misc', 'impl'].map(
    (word) => [word, 'say what it does instead'] as const,
  ),
  ...['shard', 'zone', 'tile'].map(
    (word) => [word, 'the glossary calls it a cell or a region'] as const,
  ),
  ...['actor'].map((word) => [word, 'the glossary calls it an entity'] as const),
]);
/** Too vague to be all of a name that others import. */
const VAGUE_NAMES: ReadonlySet<string> = new Set(['data', 'info', 'handle', 'item', 'object']);

/** One sentence for each file or declaration whose name uses an empty word. */
export function nameFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const base = path.split('/').at(-1)!;
    const code = bareCodeOf(text);
    const declared = [...code.matchAll(/\b(?:const|let|function|class|type|interface)\s+(\w+)/g)];
    const exported = [...code.matchAll(/\bexport\s+(?:const|function|class|type)\s+(\w+)/g)];
    const faults = [base, ...declared.map((match) => match[1]!)].flatMap((name) =>
      wordsOf(name)
        .filter((word) => EMPTY_WORDS.has(word))
        .map((word) => `${path}: ${name} says "${word}"; ${EMPTY_WORDS.get(word)}`),
    );
    const vague = exported
      .map((match) => match[1]!)
      .filter((name) => VAGUE_NAMES.has(name.toLowerCase()))
      .map((name) => `${path}: ${name} is too vague to be exported`);
    if (/^[a-z]/.test(base) && base.endsWith('.ts') && /[A-Z_]/.test(base)) {
      faults.push(`${path}: file names are kebab-case`);
    }
    return [...faults, ...vague];
  });
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

/** The making of the product, which is nobody's business who uses it. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/\bissues? #?\d/i, 'names an issue'],
  [/\bsessions?\b/i, 'speaks of a session'],
  [/(?<![\w.:/-])\/(work|tmp\/plan|opt\/n24)\//, 'names a path of one machine'],
];

/** One sentence for each line that speaks of anything but the product. */
export function foreignFaults(files: readonly SourceFile[]): string[] {
  return lineFaults(files, (line) => FOREIGN.find(([pattern]) => pattern.test(line))?.[1]);
}

/** One sentence for each postponed task that nobody can look up. */
export function postponedFaults(files: readonly SourceFile[]): string[] {
  const mark = /\b(TODO|FIXME|XXX|HACK)\b/;
  return lineFaults(files, (line) =>
    mark.test(line) && !/https:\/\/\S+/.test(line) ? 'postpones without a link' : undefined,
  );
}

/** One sentence for each test that keeps the others of its file from running. */
export function lonelyTestFaults(files: readonly SourceFile[]): string[] {
  const lonely = /\b(test|describe|it)(\.\w+)*\.only\b/;
  return files
    .filter(({ text }) => lonely.test(bareCodeOf(text)))
    .map(({ path }) => `${path}: .only keeps its other tests from running`);
}

function lineFaults(
  files: readonly SourceFile[],
  faultOf: (line: string) => string | undefined,
): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => {
      const fault = faultOf(line);
      return fault === undefined ? [] : [`${path}:${i + 1}: ${fault}`];
    }),
  );
}
