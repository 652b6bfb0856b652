/** What deterministic packages must not read, and where the environment may be read at all. */
import { bareCodeOf, codeOf, isTest, isTestSupport, type SourceFile } from './source-files.ts';

const PURE = /^packages\/(kernel|spatial|protocol|sdk|pod)\/src\//;

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

/** Each of these hands the environment on to a child and reads nothing of it for itself. */
const PASSES_ENVIRONMENT_ON: ReadonlySet<string> = new Set([
  'packages/servers/src/install.ts',
  'packages/servers/src/docker.ts',
  'packages/testkit/src/spawn-node.ts',
]);

/** One sentence for each place that reads the environment and is not a `config.ts`. */
export function environmentFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^(packages|apps|examples)\//.test(path))
    .filter(({ path }) => !path.endsWith('/src/config.ts') && !isTest(path) && !isTestSupport(path))
    .filter(({ path }) => !PASSES_ENVIRONMENT_ON.has(path))
    .filter(({ path, text }) => {
      const code = bareCodeOf(text);
      // A main hands the whole environment to its config, and takes nothing out of it.
      const rest = path.endsWith('/src/main.ts') ? code.replace(/\(process\.env\)/g, '') : code;
      return /\bprocess\s*\.\s*env\b/.test(rest);
    })
    .map(({ path }) => `${path}: reads process.env; declare the setting in src/config.ts`);
}
