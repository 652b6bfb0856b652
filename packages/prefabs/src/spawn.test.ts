import { entityId } from '@leasehold/kernel';
import { AreaShape, type AreaSpec, Grid } from '@leasehold/spatial';
import { expect, test } from 'vitest';
import { COMPONENTS } from './components-fixture.ts';
import { type Prefab, type SpawnRequest, spawnedCounts, spawnedEntities } from './index.ts';
import { parsePrefabs } from './parse.ts';

const file = {
  path: 'wolf.yaml',
  text: 'components:\n  energy: {value: 20}\n  position: {facing: 2}\n',
};
const prefab = parsePrefabs([file], COMPONENTS, 'test').get('wolf') as Prefab;
const grid = new Grid({ kind: 'torus', width: 100, height: 100, cell: 10 });
const request = (more: Partial<SpawnRequest> = {}): SpawnRequest => ({
  ...{ prefab, version: 'abc', components: COMPONENTS, grid, count: 500, seed: 7 },
  area: { kind: 'circle', x: 0, y: 50, radius: 12 },
  ...more,
});

function spawned(asked: SpawnRequest) {
  const counters = new Map<number, number>();
  return spawnedEntities(asked, (cell) => {
    const counter = (counters.get(cell) ?? 0) + 1;
    counters.set(cell, counter);
    return entityId(cell, counter, 1);
  });
}

const areas: readonly AreaSpec[] = [
  { kind: 'world' },
  { kind: 'circle', x: 0, y: 50, radius: 12 },
  { kind: 'box', minX: 95, minY: 20, maxX: 105, maxY: 30 },
  {
    kind: 'polygon',
    points: [
      [10, 10],
      [30, 10],
      [10, 30],
    ],
  },
];
test.each(areas)('as many as asked for stand in the area $kind, each in its cell', (area) => {
  const shape = new AreaShape(grid, area);
  const entities = [...spawned(request({ area }))];
  expect(entities.flatMap(([, those]) => those)).toHaveLength(500);
  for (const [cell, those] of entities) {
    for (const { components } of those) {
      const { x, y } = components['position'] as { x: number; y: number };
      expect(shape.contains(x, y)).toBe(true);
      expect(grid.cellAt(x, y)).toBe(cell);
    }
  }
});

test('each has what its prefab gives, and remembers it', () => {
  const [first] = [...spawned(request()).values()].flat();
  expect(first?.components).toMatchObject({
    energy: { value: 20, most: 0 },
    position: { facing: 2 },
    prefab: { name: 'wolf', version: 'abc' },
  });
});

test('a seed gives the same entities again, another seed others; ids are asked for by cell', () => {
  expect([...spawned(request())]).toEqual([...spawned(request())]);
  expect([...spawned(request())]).not.toEqual([...spawned(request({ seed: 8 }))]);
  const counts = [...spawned(request())].map(([cell, { length }]) => [cell, length]);
  expect([...spawnedCounts(request())]).toEqual(counts);
});

test('they are spread evenly', () => {
  const counts = spawnedCounts(request({ area: { kind: 'world' }, count: 50_000 }));
  expect(counts.size).toBe(100);
  expect(Math.min(...counts.values())).toBeGreaterThan(400);
  expect(Math.max(...counts.values())).toBeLessThan(600);
});

test('what cannot be spawned is refused', () => {
  for (const count of [0, 1.5, 1e9]) {
    expect(() => spawned(request({ count }))).toThrow(/cannot be spawned/);
  }
  const thin: AreaSpec = { kind: 'box', minX: 5, minY: 5, maxX: 5, maxY: 5 };
  expect(() => spawned(request({ area: thin }))).toThrow(/too thin/);
  const components = new Map([...COMPONENTS].filter(([name]) => name !== 'position'));
  expect(() => spawned(request({ components }))).toThrow(/has a place/);
});
