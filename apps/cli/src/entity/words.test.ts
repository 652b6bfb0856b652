import pc from 'picocolors';
import { expect, test } from 'vitest';
import { type Entity, entityLine, entityLines, entityTable } from './words.ts';

const colors = pc.createColors(false);
const entity: Entity = {
  id: 7,
  cell: 2,
  tick: 40,
  components: {
    _letters: { count: 0 },
    position: { x: 1.234567891, y: 2 },
    got: {},
    lamp: { name: 'old\u001b[2J', note: { from: [1, 2] } },
  },
};

test('an entity is told field by field, and its texts move no cursor', () => {
  expect(entityLines('lamps', entity, colors)).toEqual([
    'entity 7 of lamps, cell 2, tick 40',
    '  position.x  1.234567891',
    '  position.y  2',
    '  got',
    '  lamp.name   old·[2J',
    '  lamp.note   {"from":[1,2]}',
  ]);
  expect(entityLine(entity)).toMatch(/^tick 40 {2}cell 2 {2}position.x=1.23457 {2}position.y=2 /);
});

test('a table is as wide as asked for, and says how many columns it leaves out', () => {
  const wide = entityTable([entity], 200);
  expect(wide.left).toBe(0);
  expect(wide.lines).toHaveLength(2);
  const { lines, left } = entityTable([entity, { ...entity, distance: 3 }], 36);
  expect(left).toBe(3);
  expect(lines[0]).toBe('  id  cell  distance  position.x');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(36);
});
