/** What deterministic packages must not read, and where the environment may be read at all. */
import { bareCodeOf, codeOf, isTest, isTestSupport, type SourceFile } from './source-files.ts';

const PURE = /^packages\/(kernel|spatial|protocol|sdk|pod|plan|authority)\/src\//;

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bnew Date\b|\bDate\s*[.(]/, 'a clock'],
  [/\bperformance\s*\./, 'a clock'],
  [/\bMath\s*\.\s*random\b|\bcrypto\s*\./, 'dice'],
  [/\b(setTimeout|setInterval|setImmediate)\b/, 'a timer'],
  [/\bprocess\s*\./, 'the environment'],
  [/\bfetch\s*\(|\bnew WebSocket\b/, 'the network'],
  [/\bIntl\b|\.toLocale\w+\(|\blocaleCompare\b/, 'the locale of the machine'],
];

/** One sentence for each clock, die, timer, environment or network in a deterministic package. */
export function purityFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => PURE.test(path) && !isTest(path) && !isTestSupport(path))
    .flatMap(({ path, text }) => {
      const code = bareCodeOf(text);
      const reads = IMPURE.filter(([pattern]) => pattern.test(code)).map(([, what]) => what);
      if (/['"]node:/.test(codeOf(text))) reads.push('the platform (a node: module)');
      return reads.map((what) => `${path}: reads ${what}; take it as an argument`);
    });
}

/** One sentence for each place that reads the environment and is not a `config.ts`. */
export function environmentFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^(packages|apps|examples)\//.test(path))
    .filter(({ path }) => !/\/src\/config\.ts$|\/fixtures\//.test(path))
    .filter(({ path }) => !isTest(path) && !isTestSupport(path))
    .filter(({ path }) => !SETS_ENVIRONMENT.has(path))
    .filter(({ path, text }) => /\bprocess\s*\.\s*env\b/.test(readingCodeOf(path, text)))
    .map(({ path }) => `${path}: reads process.env; declare the setting in src/config.ts`);
}

/** Testcontainers takes its settings from nowhere else. */
const SETS_ENVIRONMENT: ReadonlySet<string> = new Set(['packages/servers/src/docker.ts']);

/**
 * The code without what hands the environment on whole: to a child, or from a main to its config.
 */
function readingCodeOf(path: string, text: string): string {
  const code = bareCodeOf(text).replace(/\.\.\.process\.env\b/g, '');
  return /\/src\/(\w+-)?main\.ts$/.test(path) ? code.replace(/\bprocess\.env(?=[,)])/g, '') : code;
}
