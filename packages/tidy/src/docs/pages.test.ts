import { expect, test } from 'vitest';
import { commandsPage, configPage, errorsPage, remediesIn, worldPage } from './pages.ts';

test('a setting is a row with what it accepts, its default and its purpose', () => {
  const row = { variable: 'PORT', accepts: 'a|b', fallback: 'required', purpose: 'A port.' };
  const page = configPage({ 'A pod': [row, { ...row, variable: 'HOST', fallback: '' }] });
  expect(page).toContain('## A pod\n');
  expect(page).toContain('| `PORT` | a\\|b | required | A port. |');
  expect(page).toContain('| `HOST` | a\\|b | empty | A port. |');
});

test('a key of the manifest is a row by its dotted path, once for all kinds of space', () => {
  const kindOf = (kind: string, keys: object) => ({
    type: 'object',
    properties: { kind: { const: kind }, ...keys },
  });
  const cell = { type: 'number', exclusiveMinimum: 0, description: 'A side.' };
  const width = { type: 'number', minimum: 1, maximum: 9, description: 'An extent.' };
  const schema = {
    required: ['space'],
    properties: {
      space: { anyOf: [kindOf('plane', { cell, width }), kindOf('globe', { cell })] },
      lease: {
        type: 'object',
        properties: { ttlMs: { type: 'integer', minimum: 1, maximum: 2, default: 2 } },
      },
    },
  };
  const page = worldPage(schema, ['No more than this.']);
  expect(page).toContain(
    '| `space.kind` | `plane`, `globe` | required | The shape of the space. |',
  );
  expect(page).toContain('| `space.cell` | number above 0 | required | A side. |');
  expect(page).toContain(
    '| `space.width` | number from 1 to 9 | required | An extent. Only for plane. |',
  );
  expect(page).toContain('| `lease.ttlMs` | whole number from 1 to 2 | `2` |  |');
  expect(page).toContain('- No more than this.');
});

test('a code is a row with its meaning and a remedy of the sources, without what they fill in', () => {
  const sources = [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    "new LeaseholdError('A_LOST', `a ${b}`, {\n field: 'a',\n remedy: `Give ${a} it\\`s due.`,\n});",
    "throw new LeaseholdError('B_LOST', m); const c = { remedy: 'Of something else.' };",
  ];
  const remedies = remediesIn(['A_LOST', 'B_LOST'], sources);
  expect([...remedies]).toEqual([['A_LOST', 'Give … it`s due.']]);
  const page = errorsPage({ A_LOST: 'a is lost', B_LOST: 'b is lost' }, remedies);
  expect(page).toContain(
    '| `A_LOST` | a is lost | Give … it`s due. |\n| `B_LOST` | b is lost |  |',
  );
});

test('a command is shown as its help says', () => {
  expect(commandsPage({ 'leasehold run': '\nUsage: run\n' })).toContain(
    '## leasehold run\n\n```text\nUsage: run\n```',
  );
});
