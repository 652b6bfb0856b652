/** Goal: exactly what became another value is marked. Method: one row, one write at a time. */
import { layerSchema, Table } from '@leasehold/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { drift, Position, torus, Velocity } from './cell-test-bench.ts';
import { component, f32, f64, simulation, testWorld } from './index.ts';
import { RowSet } from './rows.ts';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Sum = component('sum', 1, { wide: f64, narrow: f32 });

/** A row of both components, and what is marked of it. */
function open() {
  const table = new Table(layerSchema('main', [Place.schema, Sum.schema]));
  table.append(1, 3);
  const rows = new RowSet(table);
  rows.point(table);
  const [place, sum] = rows.writable as [{ x: number }, { wide: number; narrow: number }];
  const marks = () => {
    const found = [...table.dirty.map((marksOf) => marksOf[0])];
    table.clearDirty();
    return found;
  };
  return { place, sum, marks };
}

describe('a write', () => {
  test.each([
    ['the same', 5, 5, 0],
    ['another', 5, 6, 1],
    ['a difference whose square is 0', 0, 1e-200, 1],
    ['a difference whose square is infinite', 1, 1e200, 1],
    ['a difference that is infinite', -1.5e308, 1.5e308, 1],
    ['−0 for 0', 0, -0, 1],
    ['0 for 0', 0, 0, 0],
    ['NaN for a number', 1, Number.NaN, 1],
    ['NaN for NaN', Number.NaN, Number.NaN, 0],
    ['a number for NaN', Number.NaN, 1, 1],
    ['infinity for infinity', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0],
    ['a number for infinity', Number.POSITIVE_INFINITY, 1, 1],
  ])('of %s is marked as it is: %d, %d', (_, before, after, marked) => {
    const { sum, marks } = open();
    sum.wide = before;
    marks();
    sum.wide = after;
    expect(marks()).toEqual([0, marked]);
    expect(sum.wide).toBe(after);
  });

  test('that rounding to 32 bits makes the same marks nothing', () => {
    const { sum, marks } = open();
    sum.narrow = 0.1;
    expect(marks()).toEqual([0, 2]);
    sum.narrow = 0.1 + 1e-12;
    sum.narrow = Math.fround(0.1);
    expect(marks()).toEqual([0, 0]);
  });

  test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY]])(
    'of %d to a place is refused, and the place kept',
    (value) => {
      const { place, marks } = open();
      place.x = 3;
      marks();
      expect(() => {
        place.x = value;
      }).toThrow(/place\.x became/);
      expect(place.x).toBe(3);
      expect(marks()).toEqual([0, 0]);
    },
  );

  test.each([['7'], [null], [7n], [true], [{}]])(
    'of %o is refused, whatever the field',
    (value) => {
      const { place, sum } = open();
      for (const write of [
        () => void Object.assign(place, { x: value }),
        () => void Object.assign(sum, { wide: value }),
        () => void Object.assign(sum, { narrow: value }),
      ]) {
        expect(write).toThrow(/is no f(32|64)/);
      }
    },
  );
});

describe('the loop of a system', () => {
  afterEach(() => void vi.unstubAllGlobals());

  test('does the same where a page forbids to compile text', async () => {
    const run = async () => {
      const entities = [[Position({ x: 1 }), Velocity({ x: 2 })]];
      const declared = simulation({ components: [Position, Velocity], systems: [drift] });
      return (await testWorld(declared, { space: torus, entities, verify: true })).run(20).hash();
    };
    const hash = await run();
    let refused = 0;
    const forbidden = class {
      constructor() {
        refused++;
        throw new EvalError('unsafe-eval is not an allowed source');
      }
    };
    vi.stubGlobal('Function', forbidden);
    expect(await run()).toBe(hash);
    expect(refused).toBe(1);
  });
});
