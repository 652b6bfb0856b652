import { LeaseholdError } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import { component, f64, type SystemOptions, system } from './index.ts';
import { orderSystems } from './order.ts';

const [A, B, C] = ['a', 'b', 'c'].map((name) => component(name, 1, { v: f64 })) as [
  ReturnType<typeof make>,
  ReturnType<typeof make>,
  ReturnType<typeof make>,
];
function make() {
  return component('type', 1, { v: f64 });
}
type None = Readonly<Record<never, never>>;
const named = (name: string, options: object) =>
  system({ name, each: () => undefined, ...options } as SystemOptions<
    None,
    None,
    None,
    None,
    None
  >);
const order = (...systems: ReturnType<typeof named>[]) =>
  orderSystems(systems).map(({ name }) => name);
const failureOf = (act: () => unknown): LeaseholdError => {
  try {
    act();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
  }
  throw new Error('nothing failed');
};

describe('systems run', () => {
  test('in the order of declaration where nothing else decides', () => {
    expect(order(named('z', { writes: { A } }), named('y', { writes: { B } }))).toEqual(['z', 'y']);
  });

  test('writers before those that only read', () => {
    const reader = named('reader', { reads: { A }, writes: { B } });
    const late = named('late', { optional: { B } });
    expect(order(late, reader, named('writer', { writes: { A } }))).toEqual([
      'writer',
      'reader',
      'late',
    ]);
  });

  test('as after and before say, whatever they write', () => {
    const reader = named('reader', { reads: { A }, before: ['writer'] });
    expect(order(named('writer', { writes: { A } }), reader)).toEqual(['reader', 'writer']);
    const last = named('last', { writes: { A }, after: ['first'] });
    expect(order(last, named('first', { writes: { A } }))).toEqual(['first', 'last']);
  });

  test('unordered by what is read of neighbours, which is as of the tick before', () => {
    const flock = named('flock', { writes: { A }, neighbours: { radius: 1, reads: { B } } });
    const move = named('move', { reads: { A }, writes: { B } });
    expect(order(move, flock)).toEqual(['flock', 'move']);
  });

  test('ordered by what is read of neighbours, when rows see each other at once', () => {
    const neighbours = { radius: 1, reads: { B } };
    const flock = named('flock', { writes: { A }, neighbours, order: 'sequential' });
    const move = named('move', { reads: { A }, writes: { B } });
    expect(failureOf(() => order(move, flock)).code).toBe('SYSTEM_CONFLICT');
  });

  test('writers of neighbours before those that only read, and like any other writers', () => {
    const neighbours = { radius: 1, writes: { A } };
    const push = named('push', { neighbours, order: 'sequential' });
    expect(order(named('reader', { reads: { A } }), push)).toEqual(['push', 'reader']);
    const writer = named('writer', { writes: { A } });
    expect(failureOf(() => order(writer, push)).code).toBe('SYSTEM_CONFLICT');
    const late = named('late', { writes: { A }, after: ['push'] });
    expect(order(late, push)).toEqual(['push', 'late']);
  });

  test('in an order that two writers have through a third system', () => {
    const one = named('one', { writes: { A, B } });
    const two = named('two', { reads: { B }, writes: { C } });
    const three = named('three', { reads: { C }, writes: { A } });
    expect(order(three, two, one)).toEqual(['one', 'two', 'three']);
  });
});

describe('a conflict', () => {
  test('of two unordered writers names both, the component and the way out', () => {
    const error = failureOf(() =>
      order(named('one', { writes: { A } }), named('two', { writes: { A } })),
    );
    expect(error.code).toBe('SYSTEM_CONFLICT');
    expect(error.message).toMatch(/one.*two.*a/);
    expect(error.detail).toMatchObject({ field: 'a', value: 'one, two' });
    expect(error.detail.remedy).toContain("after: ['one'] in two");
  });

  test('of two systems that each read what the other writes names them', () => {
    const error = failureOf(() =>
      order(
        named('one', { reads: { A }, writes: { B } }),
        named('two', { reads: { B }, writes: { A } }),
      ),
    );
    expect(error.code).toBe('SYSTEM_CONFLICT');
    expect(error.message).toMatch(/one.*two/);
  });

  test('is gone once one of them is declared first', () => {
    const one = named('one', { reads: { A }, writes: { B }, after: ['two'] });
    expect(order(one, named('two', { reads: { B }, writes: { A } }))).toEqual(['two', 'one']);
  });

  test('of declarations in a circle is told', () => {
    const circle = [named('one', { after: ['two'] }), named('two', { after: ['one'] })];
    expect(failureOf(() => order(...circle)).code).toBe('SYSTEM_CONFLICT');
    expect(failureOf(() => order(named('me', { after: ['me'] }))).code).toBe('SYSTEM_CONFLICT');
  });

  test.each([
    ['unknown name', [named('one', { after: ['nobody'] })]],
    ['repeated name', [named('one', {}), named('one', {})]],
  ])('is not told of an %s: that is SYSTEM_INVALID', (_, systems) => {
    expect(failureOf(() => order(...systems)).code).toBe('SYSTEM_INVALID');
  });
});
