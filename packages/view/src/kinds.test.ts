import { layerSchema } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { countKinds, kindsOf } from './kinds.ts';

const tag = (name: string) => ({ name, version: 1, fields: [] });
const field = { name: 'x', kind: 'f64', initial: 0 } as const;

const schema = layerSchema('motion', [
  ...[tag('wolf'), tag('sheep'), { ...tag('owner'), copyOf: 'economy' }],
  { name: 'position', version: 1, fields: [field] },
]);

test('kinds are components without fields, of the layer itself', () => {
  expect(kindsOf(schema).map(({ name }) => name)).toEqual(['sheep', 'wolf']);
  const many = Array.from({ length: 20 }, (_, i) => tag(`kind${String(i).padStart(2, '0')}`));
  expect(kindsOf(layerSchema('motion', many))).toHaveLength(8);
});

test('everybody of a kind is counted in all cells, and rows beyond the count are not', () => {
  const [sheep, wolf] = kindsOf(schema).map(({ bit }) => bit) as [number, number];
  const cell = (count: number, ...masks: number[]) => ({
    live: { rows: { count, masks: Uint32Array.from(masks) } },
  });
  const cells = new Map([
    [0, cell(2, wolf, sheep, wolf)],
    [1, cell(2, sheep | wolf, 0)],
  ]);
  expect(countKinds(kindsOf(schema), { cells } as never)).toEqual({ sheep: 2, wolf: 2 });
});
