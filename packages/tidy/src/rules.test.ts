/** Each house rule is shown a good sample and a bad one: a rule that cannot fail checks nothing. */
import { describe, expect, test } from 'vitest';
import {
  environmentFaults,
  foreignFaults,
  glossaryFaults,
  importFaults,
  importsOf,
  linkFaults,
  lonelyTestFaults,
  luaFaults,
  nameFaults,
  pageFaults,
  postponedFaults,
  purityFaults,
  sizeFaults,
  undeclaredFaults,
  unprovedFaults,
  untestedFaults,
  versionFaults,
} from './index.ts';

const file = (path: string, text: string) => ({ path, text });

describe('imports', () => {
  test('all forms of an import are seen, and none in a comment', () => {
    const text = `
      import a from 'one';
      import type { B } from "two";
      export { c } from 'three';
      const d = await import('four');
      import 'five';
      import {
        e,
      } from 'six';
      const f = entry['from'] ?? 'not this';
      // import f from 'seven';
      /** as in: import g from 'eight' */
    `;
    expect(importsOf(text)).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });

  test.each([
    ['packages/sdk/src/a.ts', '@leasehold/protocol', true],
    ['packages/pod/src/a.ts', '@leasehold/sdk/engine', true],
    ['packages/kernel/src/a.ts', '@leasehold/spatial', false],
    ['packages/live-store/src/a.ts', '@leasehold/twin-store', false],
    ['packages/pod/src/a.ts', '@leasehold/sdk/src/table', false],
    ['packages/world/src/a.ts', '@leasehold/simulator', false],
    ['apps/cli/src/a.ts', '@leasehold/simulator', false],
    ['apps/cli/src/a.ts', '@leasehold/world', true],
    ['apps/cli/src/a.ts', '@leasehold/testkit', false],
    ['apps/cli/src/a.test.ts', '@leasehold/testkit', true],
    ['packages/unranked/src/a.ts', '@leasehold/kernel', false],
    ['packages/sdk/src/a.ts', '../../protocol/src/index.ts', false],
    ['packages/sdk/src/deep/a.ts', '../b.ts', true],
    ['packages/sdk/src/a.ts', '../b.ts', true],
    ['bench/a.ts', './b.ts', true],
    ['bench/a.ts', '@leasehold/pod/holding', true],
    ['apps/cli/src/a.ts', '@leasehold/pod/holding', false],
    ['bench/a.ts', '../packages/pod/src/index.ts', false],
    ['examples/flights/a.ts', '@leasehold/sdk', true],
    ['examples/flights/a.ts', '@leasehold/live-store', false],
  ])('in %s importing %s is allowed: %s', (path, name, allowed) => {
    const faults = importFaults([file(path, `import { x } from '${name}';`)]);
    expect(faults.length === 0, faults.join()).toBe(allowed);
  });

  test('an import that the manifest does not declare is named', () => {
    const manifest = {
      name: '@leasehold/a',
      dependencies: { pino: '1.0.0' },
      devDependencies: { '@leasehold/testkit': '1' },
    };
    const faults = undeclaredFaults(
      [
        file(
          'packages/a/src/a.ts',
          "import 'pino/x'; import 'node:fs'; import 'ws'; import 'vitest';",
        ),
        file('packages/a/src/a.test.ts', "import '@leasehold/testkit'; import 'vitest';"),
        file('packages/a/examples/a.ts', "import '@leasehold/a';"),
        file('packages/a/src/b.ts', "import '@leasehold/testkit';"),
      ],
      () => manifest,
    );
    expect(faults.map((fault) => fault.split(' ')[1])).toEqual([
      'ws',
      'vitest',
      '@leasehold/testkit',
    ]);
  });

  test('a range of versions is named', () => {
    const manifest = { dependencies: { a: '1.2.3', b: '^1.0.0' }, devDependencies: { c: '*' } };
    expect(versionFaults([file('package.json', JSON.stringify(manifest))])).toHaveLength(2);
  });
});

describe('purity', () => {
  test.each([
    'const t = Date.now();',
    'const t = new Date();',
    'const t = performance.now();',
    'const r = Math.random();',
    'const r = crypto.getRandomValues(a);',
    'setTimeout(f, 1);',
    "const home = process.env['HOME'];",
    "import { readFileSync } from 'node:fs';",
    'await fetch(url);',
    'names.sort((a, b) => a.localeCompare(b));',
  ])('%s is impure in a deterministic package and nowhere else', (line) => {
    expect(purityFaults([file('packages/pod/src/a.ts', line)])).toHaveLength(1);
    expect(purityFaults([file('packages/live-store/src/a.ts', line)])).toEqual([]);
    expect(purityFaults([file('packages/pod/src/a.test.ts', line)])).toEqual([]);
  });

  test('a comment or a string about a clock is not a clock', () => {
    const text = "// Date.now() is not read here.\nconst advice = 'use Date.now() outside';";
    expect(purityFaults([file('packages/sdk/src/a.ts', text)])).toEqual([]);
  });

  test('the environment is read in config.ts only', () => {
    const text = "const port = process.env['PORT'];";
    const paths = ['apps/cli/src/config.ts', 'apps/cli/src/main.ts', 'apps/cli/src/a.test.ts'];
    const faults = environmentFaults(paths.map((path) => file(path, text)));
    expect(faults).toEqual([expect.stringContaining('apps/cli/src/main.ts')]);
    const child = file('apps/cli/src/child.ts', 'spawn(a, { env: { ...process.env, B: 1 } });');
    expect(environmentFaults([child])).toEqual([]);
    const wiring = file('apps/cli/src/main.ts', 'const config = loadConfig(process.env);');
    expect(environmentFaults([wiring])).toEqual([]);
  });
});

describe('Lua', () => {
  const header = '-- Do a thing.\n--\n-- @key a hash\n-- @returns OK\n';

  test('a script with a header and a body of its names is good', () => {
    expect(luaFaults([file('db/lua/cell_make.lua', `${header}\nreturn { 'OK' }\n`)])).toEqual([]);
  });

  test.each([
    ['db/lua/cell_make.lua', `${header}\nreturn KEYS[1]\n`, 'KEYS'],
    ['db/lua/cell_make.lua', `${header}\nlocal myName = 1\n`, 'myName'],
    ['db/lua/cell_make.lua', "return { 'OK' }\n", 'begin'],
    ['db/lua/cell_make.lua', '-- Do a thing.\n-- @key a\nreturn 1\n', '@returns'],
    ['db/lua/cell_make.lua', '-- Do a thing.\n-- @returns OK\nreturn 1\n', 'no key'],
    ['db/lua/cell_make.lua', `${header}-- @wrong x\n`, '@wrong'],
    ['db/lua/cell_make.lua', `${header}-- @include lib/none\n`, 'lib/none'],
    ['db/lua/cellMake.lua', header, 'snake_case'],
    ['db/lua/make.lua', header, 'noun_verb'],
    ['db/lua/cell_make.lua', `${header}\n-- ${'x'.repeat(100)}\n`, 'too long'],
  ])('in %s, %j is a fault about %s', (path, text, about) => {
    expect(luaFaults([file(path, text)]).join()).toContain(about);
  });
});

describe('words', () => {
  test.each([
    'const stateManager = 1;',
    'function pathHelper() {}',
    'type CellUtils = 1;',
    'class Shard {}',
  ])('%s is an empty or a double word', (line) =>
    expect(nameFaults([file('packages/a/src/a.ts', line)])).toHaveLength(1),
  );

  test('file names and exports are judged too, other words are not', () => {
    expect(nameFaults([file('packages/a/src/cell-utils.ts', '')])).toHaveLength(1);
    expect(nameFaults([file('packages/a/src/cellTable.ts', '')])).toHaveLength(1);
    expect(nameFaults([file('packages/a/src/a.ts', 'export const data = 1;')])).toHaveLength(1);
    expect(nameFaults([file('packages/a/src/a.ts', 'const utility = 1; // a helper')])).toEqual([]);
  });

  test.each(['see issue #12', 'in this session', 'cd /work/main', 'as Issue 3 says'])(
    '"%s" is not about the product',
    (line) => expect(foreignFaults([file('docs/a.md', line)])).toHaveLength(1),
  );

  test('what sounds alike is allowed', () => {
    const text = 'It issues 2 calls.\nan obsession\nhttps://a.org/work/b\nsrc/work/x';
    expect(foreignFaults([file('docs/a.md', text.replace('issues 2', 'makes 2'))])).toEqual([]);
  });

  test('a postponed task needs a link', () => {
    const lines = '// TODO: later\n// TODO(https://example.org/1): later';
    expect(postponedFaults([file('a.ts', lines)])).toEqual(['a.ts:1: postpones without a link']);
  });

  test('a lonely test is named', () => {
    expect(lonelyTestFaults([file('a.test.ts', 'test.only("x", f);')])).toHaveLength(1);
    expect(lonelyTestFaults([file('a.test.ts', 'test("x.only", f);')])).toEqual([]);
  });
});

describe('documents', () => {
  test('a link or an anchor to nothing is named', () => {
    const text =
      '# One *two*\n[a](there.md) [b](gone.md#x) [c](#one-two) [d](#three) [e](https://x.y)';
    const faults = linkFaults([file('docs/a.md', text)], (_, path) => path === 'there.md');
    expect(faults).toHaveLength(2);
    expect(faults.join()).toMatch(/gone\.md.*#three/);
  });

  test.each([
    '',
    '- **cell**: a square',
    '- cell: a square.',
    '- **b**: x.\n- **a**: x.',
    '- **a**: x.\n- **a**: y.',
  ])('the glossary %j is none', (text) => expect(glossaryFaults(text)).toHaveLength(1));

  test('a directory without a page is named', () => {
    expect(pageFaults(['apps/a', 'apps/b'], (path) => path === 'apps/a/README.md')).toHaveLength(1);
  });
});

describe('catalogues', () => {
  const tests = [file('a.test.ts', "test('L1 a rule', () => expect(code).toBe('NAME_INVALID'));")];

  test('a name that no test mentions is named', () => {
    expect(untestedFaults(['NAME_INVALID', 'NAME'], tests)).toEqual(['NAME: no test names it']);
  });

  test('a rule that is in no title is named, even if a body mentions it', () => {
    const body = file('b.test.ts', "test('a rule', () => {\n  // L2: as said\n});");
    expect(unprovedFaults(['L1', 'L2'], [...tests, body])).toEqual([
      'L2: no test has it in its title',
    ]);
  });

  test('a file of 501 lines is too long, one of 500 is not', () => {
    expect(
      sizeFaults([file('a.ts', 'x\n'.repeat(501)), file('b.ts', 'x\n'.repeat(500))]),
    ).toHaveLength(1);
  });
});
