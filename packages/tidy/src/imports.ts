/**
 * Which way imports point. A tool for this finds nothing under TypeScript 7 and says all is well.
 */
import { codeOf, isGenerated, isTest, isTestSupport, type SourceFile } from './source-files.ts';

/** A package imports only from rows above its own. */
export const RANKS: readonly (readonly string[])[] = [
  ['kernel', 'process-lock'],
  ['spatial', 'tidy', 'servers'],
  ['testkit', 'protocol', 'service'],
  ['sdk', 'live-store', 'twin-store', 'snapshot-store', 'client', 'plan', 'control'],
  ['world', 'pod', 'prefabs'],
  ['view', 'authority', 'snapshots'],
  ['proof'],
];

/**
 * Ways into a package besides its index. Some are internal: benchmarks time such parts, and proof
 * drives them.
 */
const SUBPATHS: ReadonlySet<string> = new Set([
  'sdk/engine',
  'protocol/fuzz-fixture',
  'protocol/registry-suite',
  'protocol/store-suite',
  'protocol/view',
  'testkit/chromium',
  'pod/holding',
  'pod/committer',
  'pod/halo',
  'pod/keeper',
  'pod/loader',
  'pod/quantiles',
  'pod/rounds',
  'live-store/keys',
  'live-store/link',
  'pod/layers-fixture',
  'pod/pods-fixture',
  'prefabs/component',
  'prefabs/repository-fixture',
  'snapshot-store/snapshot-fixture',
]);

/** What only benchmarks and proof may import. */
const INTERNAL: ReadonlySet<string> = new Set([
  'pod/holding',
  'pod/committer',
  'pod/halo',
  'pod/keeper',
  'pod/loader',
  'pod/quantiles',
  'pod/rounds',
  'live-store/keys',
  'live-store/link',
]);

/** What tests and suites may take from the root's own devDependencies. */
const TEST_TOOLS: ReadonlySet<string> = new Set(['vitest', 'fast-check']);

export type Manifest = {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

const rankOf = (name: string): number => RANKS.findIndex((row) => row.includes(name));

/** The module names a file imports, types included. */
export function importsOf(text: string): string[] {
  const pattern = /(?<!['"])\b(?:from|import)\s*\(?\s*['"]([\w@./:#-]+)['"]/g;
  return [...codeOf(text).matchAll(pattern)].map((match) => match[1]!);
}

/** One sentence for each import that points the wrong way. */
export function importFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file.text).flatMap((name) => {
      const fault = name.startsWith('.') ? relativeFault(file, name) : packageFault(file, name);
      return fault === undefined ? [] : [`${file.path}: '${name}' ${fault}`];
    }),
  );
}

function relativeFault(file: SourceFile, name: string): string | undefined {
  // `bench` is a package of its own; elsewhere packages are one level down.
  const depth = file.path.split('/').length - (file.path.startsWith('bench/') ? 2 : 3);
  const climbs = name.split('/').filter((part) => part === '..').length;
  if (climbs > depth) return 'leaves its package; import the other one by name';
  return undefined;
}

function packageFault(file: SourceFile, name: string): string | undefined {
  if (!name.startsWith('@leasehold/')) return undefined;
  const [place, own] = file.path.split('/') as [string, string];
  const target = name.slice('@leasehold/'.length);
  const [used] = target.split('/') as [string];
  if (target.includes('/') && !SUBPATHS.has(target)) return 'reaches behind the index of a package';
  if (rankOf(used) === -1) return 'is no package; nothing imports an app';
  const isProof = place === 'packages' && own === 'proof';
  const forTests = isTest(file.path) || isTestSupport(file.path) || place === 'bench' || isProof;
  if (used === 'testkit' && !forTests) return 'is for tests only';
  if (target.endsWith('-fixture') && !forTests) return 'is for tests only';
  if (INTERNAL.has(target) && place !== 'bench' && !isProof) return 'is for benchmarks only';
  if (place === 'examples' && !forTests && used !== 'sdk') {
    return 'is not what a user of the product imports; a world needs the sdk alone';
  }
  if (place !== 'packages' || used === own) return undefined;
  if (rankOf(own) === -1) return 'is imported by a package without a rank';
  if (rankOf(used) >= rankOf(own)) return `points up: ${own} ranks no higher than ${used}`;
  return undefined;
}

/** One sentence for each import that the package's own manifest does not declare. */
export function undeclaredFaults(
  files: readonly SourceFile[],
  manifestOf: (workspace: string) => Manifest,
): string[] {
  return files
    .filter((file) => !isGenerated(file.path))
    .flatMap((file) => {
      const [place, name] = file.path.split('/') as [string, string];
      const workspace = place === 'bench' ? place : `${place}/${name}`;
      const { name: self, dependencies = {}, devDependencies = {} } = manifestOf(workspace);
      const forTests =
        isTest(file.path) || isTestSupport(file.path) || workspace === 'packages/testkit';
      const forBuilding = file.path.endsWith('.config.ts');
      return (
        importsOf(file.text)
          .filter((used) => !used.startsWith('.') && !used.startsWith('node:'))
          .map((used) =>
            used
              .split('/')
              .slice(0, used.startsWith('@') ? 2 : 1)
              .join('/'),
          )
          // An example says the package's own name, as its users will.
          .filter((used) => used !== self && !(used in dependencies))
          .filter((used) => !((forTests || forBuilding) && used in devDependencies))
          .filter((used) => !(forTests && TEST_TOOLS.has(used)))
          .map((used) => `${file.path}: ${used} is not in the dependencies of ${workspace}`)
      );
    });
}
