import { LeaseholdError } from '@leasehold/kernel';
import { decodeCommit } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import { type CompileOptions, compile } from './engine.ts';
import { component, f64, isSimulation, type Simulation, simulation, system, u8 } from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Power = component('power', 1, { n: u8 });
const grid = new Grid({ kind: 'torus', width: 40, height: 40, cell: 10 });
const build = (declared: Simulation, options: Partial<CompileOptions> = {}) =>
  compile(declared, { layer: 'main', grid, seed: 1, tickHz: 10, params: {}, ...options });
const failureOf = (act: () => unknown): LeaseholdError => {
  try {
    act();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
    throw error;
  }
  throw new Error('nothing failed');
};
const each = () => undefined;
const near = (radius: number | ((params: { reach: number }) => number)) =>
  system({
    ...{ name: 'near', params: { reach: 4 }, reads: { position: Position }, each },
    neighbours: { radius, reads: { power: Power } },
  });
const push = (neighbours: object) =>
  system({
    ...{ name: 'push', order: 'sequential', each },
    neighbours: { radius: 1, ...neighbours },
  } as never);

describe('a simulation that cannot run is refused:', () => {
  const faults: [string, string, () => unknown, RegExp][] = [
    [
      ...(['COMPONENT_UNKNOWN', 'a system that uses a component which is not listed'] as const),
      () => build(simulation({ components: [Position], systems: [near(3)] })),
      /power/,
    ],
    [
      ...(['COMPONENT_UNKNOWN', 'a layer with an unknown component'] as const),
      () =>
        build(simulation({ components: [Position], systems: [] }), {
          layers: { main: ['nothing'] },
        }),
      /nothing/,
    ],
    [
      ...(['COMPONENT_INVALID', 'two components of one name'] as const),
      () => build(simulation({ components: [Power, component('power', 1, {})], systems: [] })),
      /power/,
    ],
    [
      ...(['COMPONENT_INVALID', 'two components that say where an entity is'] as const),
      () => {
        const At = component('at', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
        build(simulation({ components: [Position, At], systems: [] }));
      },
      /spatial/,
    ],
    [
      ...(['COMPONENT_INVALID', 'more components than a mask has bits'] as const),
      () => {
        const many = Array.from({ length: 33 }, (_, i) => component(`c${i}`, 1, {}));
        build(simulation({ components: many, systems: [] }));
      },
      /33/,
    ],
    [
      ...(['RADIUS_TOO_LARGE', 'a radius above one cell'] as const),
      () => build(simulation({ components: [Position, Power], systems: [near(9.7)] })),
      /near.*9\.7.*9\.6/,
    ],
    [
      ...(['SYSTEM_INVALID', 'a radius that is no number'] as const),
      () => build(simulation({ components: [Position, Power], systems: [near(Number.NaN)] })),
      /near/,
    ],
    [
      ...(['SYSTEM_INVALID', 'neighbours where nobody stands anywhere'] as const),
      () => {
        const blind = system({ name: 'blind', neighbours: { radius: 1, reads: { Power } }, each });
        build(simulation({ components: [Power], systems: [blind] }));
      },
      /blind/,
    ],
    [
      ...(['SYSTEM_INVALID', 'a system that spans two layers'] as const),
      () => {
        const both = system({
          name: 'both',
          writes: { Position, Power },
          each: () => undefined,
        });
        const declared = simulation({ components: [Position, Power], systems: [both] });
        build(declared, { layers: { main: ['position'], power: ['power'] } });
      },
      /both.*writes components of main and power/,
    ],
    [
      ...(['MANIFEST_INVALID', 'a parameter of another type'] as const),
      () => {
        const declared = simulation({ components: [Position, Power], systems: [near(3)] });
        build(declared, { params: { reach: 'far' } });
      },
      /reach/,
    ],
    [
      ...(['SYSTEM_INVALID', 'a system with an unknown setting'] as const),
      () => system({ name: 'odd', each, wirtes: {} } as never),
      /wirtes/,
    ],
    [
      ...(['SYSTEM_INVALID', 'a system that declares a component twice'] as const),
      () => system({ name: 'twice', reads: { a: Power }, writes: { b: Power }, each }),
      /power/,
    ],
    [
      ...(['SYSTEM_INVALID', 'a system that writes neighbours simultaneously'] as const),
      () => system({ name: 'push', neighbours: { radius: 1, writes: { Power } }, each } as never),
      /push.*simultaneously/,
    ],
    [
      ...(['SYSTEM_INVALID', 'one that reads and writes a component of neighbours'] as const),
      () => push({ reads: { a: Power }, writes: { b: Power } }),
      /b \(power\) is declared twice/,
    ],
    [
      ...(['SYSTEM_INVALID', 'one that reads and writes under one name'] as const),
      () => push({ reads: { a: Power }, writes: { a: Position } }),
      /a \(position\) is declared twice/,
    ],
    [
      ...(['SYSTEM_INVALID', 'one that calls a row of neighbours as what they have'] as const),
      () => push({ writes: { isOwn: Power } }),
      /isOwn is taken/,
    ],
    [
      ...(['SYSTEM_INVALID', 'one with an unknown setting of neighbours'] as const),
      () => push({ wirtes: { Power } }),
      /wirtes/,
    ],
    [
      ...(['COMPONENT_UNKNOWN', 'a system that reads what is no component'] as const),
      () => system({ name: 'odd', reads: { a: undefined as never }, each }),
      /reads\.a/,
    ],
    [
      ...(['NAME_INVALID', 'a name with braces'] as const),
      () => system({ name: '{x}', each }),
      /\{x\}/,
    ],
  ];
  test.each(faults)('%s: %s', (code, _, act, message) => {
    const error = failureOf(act);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.detail.remedy).not.toBe('');
  });
});

describe('an engine', () => {
  test('takes a radius from the parameters of the manifest', () => {
    const systems = [near((params) => params.reach)];
    const declared = simulation({ components: [Position, Power], systems });
    expect(build(declared)).toMatchObject({ radius: 4, needsHalo: true, systems: ['near'] });
    expect(build(declared, { params: { reach: 7 } }).radius).toBe(7);
    expect(build(simulation({ components: [Position], systems: [] }))).toMatchObject({
      ...{ radius: 0, needsHalo: false },
    });
  });

  test('seeds the same bytes again, ids by cell, and another world for another seed', async () => {
    const declared = simulation({
      components: [Position, Power],
      systems: [],
      params: { count: 50 },
      seed({ spawn, random, params }) {
        for (let i = 0; i < params.count; i++) {
          spawn(Position({ x: random.between(-40, 80), y: random.between(0, 40) }), Power());
        }
      },
    });
    const first = await build(declared).seed();
    expect(await build(declared).seed()).toEqual(first);
    expect(await build(declared, { seed: 2 }).seed()).not.toEqual(first);
    const counts = [...first.values()].map(({ count }) => count);
    expect(counts.reduce((a, b) => a + b)).toBe(50);
    for (const [cell, { body, idCounter, count }] of first) {
      const { births, tick } = decodeCommit(body, build(declared).schema);
      expect([tick, births.count, idCounter]).toEqual([0, count, count]);
      expect(births.ids[0]).toBe(cell * 2 ** 32 + 1);
    }
  });

  test('gives an entity the same id in every layer', async () => {
    const declared = simulation({
      components: [Position, Power],
      systems: [],
      seed({ spawn }) {
        spawn(Position({ x: 15 }));
        spawn(Position({ x: 16 }), Power({ n: 3 }));
      },
    });
    const power = build(declared, {
      ...{ layer: 'power', layers: { main: ['position'], power: ['power'] } },
    });
    const [[cell, commit] = []] = await power.seed();
    const { births } = decodeCommit(commit?.body as Uint8Array, power.schema);
    expect(cell).toBe(1);
    expect([...births.ids.subarray(0, births.count)]).toEqual([2 ** 32 + 1, 2 ** 32 + 2]);
  });

  test('refuses a seed that spawns what is no value, naming it', async () => {
    const seed = ({ spawn }: { spawn: (...values: never[]) => number }) => spawn(Power as never);
    const declared = simulation({ components: [Power], systems: [], seed: seed as never });
    await expect(build(declared).seed()).rejects.toMatchObject({ code: 'FIELD_KIND_MISMATCH' });
  });

  test('knows the steps of its fields, and is the same layer with and without', () => {
    const fields = { x: f64, y: f64 };
    const Stepped = component('position', 1, fields, { spatial: ['x', 'y'], steps: { y: 0.1 } });
    const { schema } = build(simulation({ components: [Stepped], systems: [] }));
    expect(schema.components[0]?.fields.map(({ step }) => step)).toEqual([undefined, 0.1]);
    const plain = build(simulation({ components: [Position], systems: [] }));
    expect(schema.hash).toBe(plain.schema.hash);
  });

  test('tells the time per system, by the clock it is given', () => {
    let now = 0;
    const declared = simulation({ components: [Position, Power], systems: [near(3)] });
    const engine = build(declared, { time: () => (now += 5) });
    engine.createCell(0).step({ tick: 1, outSeq: 0, arrivals: [], view: () => undefined });
    expect([...engine.systemMs]).toEqual([5]);
  });
});

test('a simulation is known from what is none', () => {
  expect(isSimulation(simulation({ components: [], systems: [] }))).toBe(true);
  for (const other of [undefined, null, {}, [], () => 1]) expect(isSimulation(other)).toBe(false);
  expect(failureOf(() => simulation({ components: [] } as never)).code).toBe('MODULE_INVALID');
});
