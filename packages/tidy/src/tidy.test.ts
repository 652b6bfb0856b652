/** House rules no linter knows, on the repository as it is. Each failure says the way out. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CATALOGUE } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { sizeFaults, unprovedFaults, untestedFaults, versionFaults } from './catalogues.ts';
import { glossaryFaults, linkFaults, pageFaults } from './documents.ts';
import { importFaults, type Manifest, RANKS, undeclaredFaults } from './imports.ts';
import { luaFaults } from './lua-scripts.ts';
import { environmentFaults, purityFaults } from './purity.ts';
import { existsBeside, isTest, isTestSupport, root, sourceFiles } from './source-files.ts';
import { foreignFaults, lonelyTestFaults, nameFaults, postponedFaults } from './words.ts';

const scripts = sourceFiles('.ts');
const workspaces = scripts.filter(
  ({ path }) =>
    /^(packages|apps|examples|bench)\//.test(path) && path !== 'packages/tidy/src/rules.test.ts',
);
const tests = scripts.filter(({ path }) => isTest(path) || isTestSupport(path));
const documents = sourceFiles('.md');
const lua = sourceFiles('.lua');
/** Everything people write, but for the rules themselves: these must name what they forbid. */
const written = sourceFiles('.ts', '.mjs', '.js', '.lua', '.md', '.json', '.yaml', '/run').filter(
  ({ path }) => !/^packages\/tidy\/src\/(words|rules\.test)\.ts$/.test(path),
);

const manifestOf = (workspace: string): Manifest =>
  JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8'));

test('the rules see the repository', () => {
  expect(scripts.length).toBeGreaterThan(50);
  expect(lua.length).toBeGreaterThan(5);
  expect(documents.length).toBeGreaterThan(3);
  expect(tests.length).toBeGreaterThan(10);
});

describe('imports', () => {
  test('every package has a rank', () => {
    const packages = globSync('packages/*', { cwd: root }).map((path) => path.split('/')[1]);
    expect(packages.sort()).toEqual(RANKS.flat().sort());
  });

  test('packages import only from lower ranks, by name, through the index', () => {
    expect(importFaults(workspaces)).toEqual([]);
  });

  test('what is imported is declared in the manifest of the package', () => {
    expect(undeclaredFaults(workspaces, manifestOf)).toEqual([]);
  });

  test('the lock file has the optional builds of every platform, so npm ci accepts it', () => {
    const check = spawnSync(process.execPath, ['scripts/lock.mjs', '--check'], { cwd: root });
    expect(check.stderr.toString(), 'run: npm run lock').toBe('');
  });

  test('every dependency has an exact version', () => {
    expect(versionFaults(sourceFiles('package.json'))).toEqual([]);
  });
});

test('deterministic packages read no clock, dice, timer, environment or network', () => {
  expect(purityFaults(scripts)).toEqual([]);
});

test('only a config.ts reads the environment', () => {
  expect(environmentFaults(scripts)).toEqual([]);
});

test('a Lua header is the signature, and its body mentions neither KEYS nor ARGV', () => {
  expect(luaFaults(lua)).toEqual([]);
});

test('no source file is longer than it can be about one subject', () => {
  expect(sizeFaults([...scripts, ...lua, ...sourceFiles('.mjs')])).toEqual([]);
});

describe('words', () => {
  test('no name uses a word that says nothing or doubles one of the glossary', () => {
    expect(nameFaults(scripts)).toEqual([]);
  });

  test('the repository speaks of the product alone', () => {
    expect(foreignFaults(written)).toEqual([]);
  });

  test('nothing is postponed without a link', () => {
    expect(postponedFaults(written)).toEqual([]);
  });

  test('the glossary has one line for each noun, in order', () => {
    expect(glossaryFaults(readFileSync(join(root, 'GLOSSARY.md'), 'utf8'))).toEqual([]);
  });
});

describe('documents', () => {
  test('relative links lead somewhere', () => {
    expect(linkFaults(documents, existsBeside)).toEqual([]);
  });

  test('every app and every example has a page', () => {
    const directories = globSync('{apps,examples}/*/package.json', { cwd: root }).map((path) =>
      path.replace('/package.json', ''),
    );
    expect(pageFaults(directories, (path) => existsSync(join(root, path)))).toEqual([]);
  });
});

describe('tests', () => {
  test('every error code is named in one', () => {
    expect(untestedFaults(Object.keys(ERROR_CATALOGUE), tests)).toEqual([]);
  });

  test('every invariant that the product keeps is in the title of one', () => {
    const rules = ['L1', 'L2', 'L3', 'L4', 'L5', 'E1', 'E2', 'T1', 'W1'];
    expect(unprovedFaults(rules, tests)).toEqual([]);
  });

  test('none keeps the others of its file from running', () => {
    expect(lonelyTestFaults(tests)).toEqual([]);
  });
});
