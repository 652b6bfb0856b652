import { LeaseholdError } from '@leasehold/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VIEW_LIMITS } from './limits.ts';
import { readMessage } from './messages.ts';

const read = (value: unknown) =>
  readMessage(typeof value === 'string' ? value : JSON.stringify(value), 16_384);

function faultOf(value: unknown): { code: string; field: string; value: string; remedy: string } {
  try {
    read(value);
  } catch (error) {
    if (error instanceof LeaseholdError) return { code: error.code, ...error.detail };
    throw error;
  }
  throw new Error('it was accepted');
}

const box = { kind: 'box', minX: 0, minY: 0, maxX: 1, maxY: 1 };

describe('what clients say', () => {
  test('a message that is right comes back as it was', () => {
    const message = { type: 'subscribe', id: 1, area: box, components: ['position'], rateHz: 10 };
    expect(read(message)).toEqual(message);
  });

  test.each([
    ['no JSON', 'garbage', 'message'],
    ['half a JSON', '{"type":"hello"', 'message'],
    ['a JSON that is no object', '17', 'type'],
    ['null', 'null', 'type'],
    ['an unknown type', { type: 'destroy' }, 'type'],
    ['a type of an object prototype', { type: 'constructor' }, 'type'],
    ['a key nobody knows', { type: 'status', on: true, extra: 1 }, 'extra'],
    ['a number where a flag should be', { type: 'status', on: 1 }, 'on'],
    ['a subscription without a number', { type: 'unsubscribe' }, 'message'],
    ['subscription 0', { type: 'unsubscribe', id: 0 }, 'id'],
    ['half a subscription', { type: 'unsubscribe', id: 1.5 }, 'id'],
    ['a rate of 0', { type: 'subscribe', id: 1, area: box, rateHz: 0 }, 'rateHz'],
    ['a rate of 1000', { type: 'subscribe', id: 1, area: box, rateHz: 1000 }, 'rateHz'],
    ['a name with a brace', { type: 'subscribe', id: 1, area: box, with: ['a}'] }, 'with.0'],
    ['cells that are no numbers', { type: 'resync', id: 1, cells: ['1'] }, 'cells.0'],
  ])('%s is refused by its field', (_, value, field) => {
    expect(faultOf(value)).toMatchObject({ code: 'VIEW_MESSAGE_INVALID', field });
  });

  test.each([
    ['nothing', null, 'area.kind'],
    ['an unknown kind', { kind: 'star' }, 'area.kind'],
    ['NaN, which JSON says as null', { ...box, minX: null }, 'area.minX'],
    ['a text', { ...box, maxY: '1' }, 'area.maxY'],
    ['a key too many', { ...box, z: 1 }, 'area.z'],
    ['a hole', { kind: 'polygon', points: [], holes: [] }, 'area.holes'],
    ['a point with three numbers', { kind: 'polygon', points: [[1, 2, 3]] }, 'area.points.0.2'],
  ])('an area with %s is refused by its field', (_, area, field) => {
    expect(faultOf({ type: 'area', id: 1, area })).toMatchObject({ code: 'AREA_INVALID', field });
  });

  test('a message beyond the limit is refused before it is parsed', () => {
    const long = ' '.repeat(VIEW_LIMITS.messageBytesMax + 1);
    expect(faultOf(long).code).toBe('VIEW_MESSAGE_INVALID');
  });

  test('whatever comes is read or refused by name, and a refusal is short', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 3_000, size: 'max' }), fc.json(), fc.jsonValue()),
        (value) => {
          try {
            read(value);
          } catch (error) {
            expect(error).toBeInstanceOf(LeaseholdError);
            expect((error as LeaseholdError).message.length).toBeLessThan(300);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
