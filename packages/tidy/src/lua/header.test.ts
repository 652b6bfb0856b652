/** The header of a Lua file is its signature; what is not one is refused. */
import { expect, test } from 'vitest';
import { generate } from './generate.ts';
import { readSignature } from './header.ts';
import { librarySource } from './lua-source.ts';

const header = `-- Do a thing.
--
-- @arg        incarnation  decimal
-- @each-key   block        hash: incarnation
-- @each-key?  out          stream: when it is used
-- @each-arg   seq          integer
-- @each-arg?  heir         string
-- @each-list  rows         id:decimal x:number; max ROWS_MAX
-- @returns    OK now_ms:integer | never
-- @include    lib/limits lib/call

return { 'OK', 1 }
`.replace(' | never', '');

test('a header gives the names, kinds and answers of a call', () => {
  expect(readSignature('thing_do', header)).toMatchObject({
    about: ['Do a thing.'],
    isReadOnly: false,
    args: [{ name: 'incarnation', kind: 'decimal' }],
    eachKeys: [
      { name: 'block', isOptional: false },
      { name: 'out', isOptional: true },
    ],
    eachArgs: [
      { name: 'seq', isOptional: false },
      { name: 'heir', isOptional: true },
    ],
    eachLists: [{ name: 'rows', columns: [{ name: 'id' }, { name: 'x' }], max: 'ROWS_MAX' }],
    replies: [{ tag: 'OK', fields: [{ name: 'now_ms', kind: 'integer' }] }],
    includes: ['lib/limits', 'lib/call'],
    body: `return { 'OK', 1 }`,
  });
});

test.each([
  ['seq          integer', 'seq          float'],
  ['@each-key   block', '@each-kay   block'],
  ['OK now_ms:integer', 'ok now_ms:integer'],
  ['OK now_ms:integer', 'OK now_ms:date'],
  ['; max ROWS_MAX', ''],
  ['block        hash', 'Block        hash'],
  ['@each-arg   seq', '@each-arg?  opt string\n-- @each-arg   seq'],
  [`return { 'OK', 1 }`, 'return KEYS[1]'],
])('a file with %j as %j is refused, and the error names it', (right, wrong) => {
  expect(() => readSignature('thing_do', header.replace(right, wrong))).toThrow(/thing_do\.lua/);
});

test('a body sees names only, and each include is in the library once', () => {
  const signature = readSignature('thing_do', header);
  const lua = librarySource(
    [signature, { ...signature, name: 'thing_undo' }],
    (path) => `-- in ${path}`,
  );
  expect(lua.match(/-- in lib\/call/g)).toHaveLength(1);
  expect(lua).toContain('local function thing_do(call, block, out, seq, heir, rows, rows_count)');
  expect(lua.startsWith('#!lua name=@library@\n')).toBe(true);
});

test('the generated file of this repository says that it is generated', () => {
  for (const text of generate().values()) expect(text).toMatch(/^\/\/ Generated from db\/lua/);
});
