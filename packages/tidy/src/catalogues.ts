/** Lists that must be whole: what is declared in one place is named in a test in another. */
import { isGenerated, type SourceFile } from './source-files.ts';

/** One sentence for each name that no test mentions. */
export function untestedFaults(names: readonly string[], tests: readonly SourceFile[]): string[] {
  return names
    .filter((name) => !tests.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text)))
    .map((name) => `${name}: no test names it`);
}

/** One sentence for each invariant that is in no test's title. */
export function unprovedFaults(rules: readonly string[], tests: readonly SourceFile[]): string[] {
  const title = (rule: string): RegExp =>
    new RegExp(`\\b(?:test|it|describe)[\\s\\S]{0,200}?\\(\\s*['"\`][^'"\`\\n]*\\b${rule}\\b`);
  return rules
    .filter((rule) => !tests.some(({ text }) => title(rule).test(text)))
    .map((rule) => `${rule}: no test has it in its title`);
}

const LINES_MAX = 500;

/** One sentence for each source file that is too long to be about one thing. */
export function sizeFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !isGenerated(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(
      ({ path, lines }) => `${path}: ${lines} lines; at most ${LINES_MAX}, so split it by subject`,
    );
}

/** One sentence for each dependency whose version is not exact. */
export function versionFaults(manifests: readonly SourceFile[]): string[] {
  return manifests.flatMap(({ path, text }) => {
    const manifest: Record<string, Record<string, string> | undefined> = JSON.parse(text);
    const all = { ...manifest['dependencies'], ...manifest['devDependencies'] };
    return Object.entries(all)
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${path}: ${name} is ${version}; write the exact version`);
  });
}
