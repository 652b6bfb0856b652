import type { Plan, Region } from '@leasehold/protocol';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { drawingOf } from './drawing.ts';

const plainly = pc.createColors(false);

function region(id: number, pod: string, place: readonly [number, number, number, number]): Region {
  const [column, row, columns, rows] = place;
  return { id, pod, standby: '', rect: { column, row, columns, rows }, edges: [] };
}

const planOf = (regions: readonly Region[], asleep: Plan['asleep'] = []): Plan => ({
  ...{ version: 1, atMs: 0, regions, asleep },
});

const halves = planOf(
  [region(1, 'west', [0, 0, 2, 3]), region(2, 'east', [2, 0, 2, 3])],
  // The cells of column 2 and 3 in row 0, which is the lowest.
  [[2, 2]],
);

test('a letter is a pod in the order of names, north is up, and a line is between regions', () => {
  const { lines, step } = drawingOf(halves, { columns: 4, rows: 3 }, 80, plainly);
  expect(lines).toEqual(['B B|A A', 'B B|A A', 'B B|· ·']);
  expect(step).toBe(1);
});

test('cells of nobody are told from those of pods', () => {
  const plan = planOf([region(1, '', [0, 0, 2, 1]), region(2, 'a', [2, 0, 1, 1])]);
  expect(drawingOf(plan, { columns: 3, rows: 1 }, 80, plainly).lines).toEqual(['- -|A']);
});

test('a grid that is wider than the terminal is drawn smaller, and never wider than that', () => {
  const wide = planOf([region(1, 'a', [0, 0, 100, 40]), region(2, 'b', [100, 0, 100, 40])]);
  const size = { columns: 200, rows: 40 };
  expect(drawingOf(wide, size, 200, plainly)).toMatchObject({ step: 1 });
  const { lines, step } = drawingOf(wide, size, 60, plainly);
  expect(step).toBe(4);
  expect(lines.length).toBe(10);
  expect(new Set(lines)).toEqual(new Set(['A'.repeat(25) + 'B'.repeat(25)]));
});

test('a colour for each pod where there are colours, and none where there are not', () => {
  const colourful = drawingOf(halves, { columns: 4, rows: 3 }, 80, pc.createColors(true)).lines;
  expect(colourful[0]).toContain(pc.createColors(true).cyan('A'));
  expect(colourful[0]).toContain(pc.createColors(true).yellow('B'));
  const without = drawingOf(halves, { columns: 4, rows: 3 }, 80, plainly).lines.join('');
  expect(without).not.toContain('\u001b');
});

test('more pods than letters end in question marks', () => {
  const many = Array.from({ length: 70 }, (_, i) => {
    return region(i + 1, `pod-${String(i).padStart(2, '0')}`, [i, 0, 1, 1]);
  });
  const [line = ''] = drawingOf(planOf(many), { columns: 70, rows: 1 }, 70, plainly).lines;
  expect(line).toMatch(/^ABC.*XYZabc.*xyz0123456789\?{8}$/);
});
