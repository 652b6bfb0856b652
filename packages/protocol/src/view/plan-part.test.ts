import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { encodePlanPart, PART, PLAN_PART_BYTES_MAX, type PlanView, readPlan } from './index.ts';
import { bodyOf, planOf } from './testing.ts';

const EXTENT = { columns: 10_000, rows: 4 };
const told = (plan: PlanView): PlanView => readPlan(bodyOf(encodePlanPart(plan)), EXTENT);

describe('the part of a plan', () => {
  test('brings all of it, with relief, loads, edges and who sleeps', () => {
    const plan = planOf(7);
    expect(encodePlanPart(plan)[0]).toBe(PART.plan);
    expect(told(plan)).toEqual(plan);
  });

  test('says that there is none', () => {
    expect(told(planOf(0))).toEqual(planOf(0));
  });

  test('of many regions leaves out the edges, then the last regions, and never grows beyond', () => {
    const [some, many, most] = [planOf(800), planOf(1_600), planOf(9_000)];
    expect(told(some)).toEqual(some);
    const bare = many.regions.map((region) => ({ ...region, edges: [] }));
    expect(told(many)).toEqual({ ...many, regions: bare });
    const { regions, regionCount } = told(most);
    expect([regionCount, regions.length > 1_500, regions.length < 9_000]).toEqual([
      9_000,
      true,
      true,
    ]);
    for (const plan of [some, many, most]) {
      expect(encodePlanPart(plan).length).toBeLessThanOrEqual(PLAN_PART_BYTES_MAX);
    }
  });

  test('of cells that sleep here and there tells the first, and of endless names some', () => {
    const asleep = Array.from({ length: 20_000 }, (_, i) => [2 * i, 1] as const);
    const named = planOf(1_000).regions.map((region, i) => ({
      ...region,
      pod: `pod-${i}-${'x'.repeat(40)}`,
    }));
    const plan = { ...planOf(1_000), regions: named, asleep };
    expect(encodePlanPart(plan).length).toBeLessThanOrEqual(PLAN_PART_BYTES_MAX);
    const seen = told(plan);
    expect(seen.asleep).toEqual(asleep.slice(0, seen.asleep.length));
    expect(seen.asleep.length).toBeGreaterThan(4_000);
    expect([seen.regions[0]?.pod, seen.regions.at(-1)?.pod]).toEqual([named[0]?.pod, '']);
  });

  test('has loads that are numbers, whatever a pod says', () => {
    const [region] = planOf(1).regions;
    const loads = [Number.NaN, -1, 1e300].map((load) => {
      const lie = { ...region!, tickMs: load, entities: load };
      return told({ ...planOf(1), regions: [lie] }).regions[0]?.entities;
    });
    expect(loads).toEqual([0, 0, Number.MAX_SAFE_INTEGER]);
  });

  const head = (): ByteWriter => new ByteWriter().varint(1).f64(1);
  const region = (pod: number, relief: number, columns = 1): ByteWriter => {
    const writer = head().varint(1).text('a').varint(1).varint(1);
    writer.varint(5).varint(0).varint(0).varint(columns).varint(1).varint(pod).varint(0);
    return writer.u8(relief).varint(0).varint(0).varint(0);
  };
  test.each([
    ['pods that are not there', head().varint(2 ** 40)],
    [
      'regions that are not there',
      head()
        .varint(0)
        .varint(2 ** 50)
        .varint(2 ** 50),
    ],
    ['more regions than it says', head().varint(0).varint(0).varint(1).raw(new Uint8Array(20))],
    ['a pod that it does not name', region(2, 0).varint(0).varint(0)],
    ['an unknown relief', region(1, 5).varint(0).varint(0)],
    ['a region beyond the grid', region(1, 0, 10_001).varint(0).varint(0)],
    ['a region without cells', region(1, 0, 0).varint(0).varint(0)],
    [
      'an edge without a side',
      region(1, 0).varint(1).u8(4).varint(1).varint(1).varint(1).varint(0),
    ],
    ['sleep beyond the grid', region(1, 0).varint(0).varint(1).varint(39_999).varint(2)],
    ['an empty sleep', region(1, 0).varint(0).varint(1).varint(1).varint(0)],
    ['a byte after it', region(1, 0).varint(0).varint(0).u8(0)],
  ])('is malformed with %s', (_, writer) => {
    expect(() => readPlan(new ByteReader(writer.finish(), 'frame'), EXTENT)).toThrow(
      expect.objectContaining({ code: 'BODY_MALFORMED' }),
    );
  });
});
