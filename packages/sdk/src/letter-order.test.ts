import { type Letter, layerSchema, Table } from '@leasehold/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { HOLD_S, LETTERS_SCHEMA, LetterOrder, MEMORY_S } from './letter-order.ts';

const HZ = 10;
const TO = 5;
const FROM = 9;
const schema = layerSchema('main', [LETTERS_SCHEMA]);

describe('the order of letters', () => {
  let table = new Table(schema);
  let order = LetterOrder.of(schema, HZ) as LetterOrder;
  beforeEach(() => {
    table = new Table(schema);
    table.append(TO, 0);
    order = LetterOrder.of(schema, HZ) as LetterOrder;
  });

  const letter = (seq: number, before: number, tick = 1, post = ''): Letter => {
    const rest = { n: 0, event: 'x', payload: {} };
    return { to: TO, from: post === '' ? FROM : 0, tick, seq, before, post, ...rest };
  };
  const judge = (of: Letter, tick = of.tick + 1) => order.judge(table, 0, of, tick);

  test('M1 takes each once', () => {
    expect([judge(letter(1, 0)), judge(letter(1, 0))]).toEqual(['take', 'repeated']);
    const asked = letter(0, 0, 1, 'request');
    expect([judge(asked), judge(asked)]).toEqual(['take', 'repeated']);
  });

  test('M2 holds one back until the one before it has come, whatever number that has', () => {
    expect(judge(letter(7, 3))).toBe('hold');
    expect(judge(letter(3, 0))).toBe('take');
    expect(judge(letter(7, 3))).toBe('take');
  });

  test('M1 M2 tells who comes too late from who comes again', () => {
    expect(judge(letter(2, 0))).toBe('take');
    const waited = letter(9, 6);
    expect(judge(waited, 2 + HOLD_S * HZ)).toBe('take');
    // Of those between 2 and 9 none had come; each comes late once, and then again.
    expect([judge(letter(6, 4)), judge(letter(4, 2)), judge(letter(6, 4))]).toEqual([
      ...['late', 'late', 'repeated'],
    ]);
    expect([judge(letter(2, 0)), judge(waited)]).toEqual(['repeated', 'repeated']);
  });

  test('M1 refuses what is older than what is remembered', () => {
    expect(judge(letter(1, 0), 2 + MEMORY_S * HZ)).toBe('late');
  });

  test('M1 knows one that was taken, however late it comes again', () => {
    expect(judge(letter(1, 0))).toBe('take');
    expect(judge(letter(1, 0), 2 + MEMORY_S * HZ)).toBe('repeated');
    // Somebody else's letter makes room for what is remembered.
    expect(judge({ ...letter(1, 0, 3 + MEMORY_S * HZ), from: FROM + 1 })).toBe('take');
    expect(judge(letter(1, 0), 4 + MEMORY_S * HZ)).toBe('repeated');
  });

  test('forgets with time, on both sides alike', () => {
    table.append(FROM, 0);
    const first = order.number(table, 1, { to: TO, layer: undefined, tick: 1 });
    const second = order.number(table, 1, { to: TO, layer: undefined, tick: 5 });
    expect([first, second]).toEqual([
      { seq: 1, before: 0 },
      { seq: 2, before: 1 },
    ]);
    expect(order.number(table, 1, { to: TO, layer: undefined, tick: 6 + MEMORY_S * HZ })).toEqual({
      seq: 3,
      before: 0,
    });
  });
});
