import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter, varintLength } from './bytes.ts';

const malformed = expect.objectContaining({ code: 'BODY_MALFORMED' });
const reader = (...bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes), 'test');
const refused = (action: () => unknown, message: RegExp): void => {
  expect(action).toThrow(malformed);
  expect(action).toThrow(message);
};

test('a number up to 2^53 − 1 is read as it was written, in as many bytes as foretold', () => {
  const edges = [
    0,
    127,
    128,
    2 ** 14,
    2 ** 28 - 1,
    2 ** 28,
    2 ** 31,
    2 ** 32,
    2 ** 49,
    2 ** 53 - 1,
  ];
  const writer = new ByteWriter();
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat()), (n) => {
      const bytes = writer.reset().varint(n).finish();
      expect(bytes.length).toBe(varintLength(n));
      expect(new ByteReader(bytes, 'test').varint()).toBe(n);
    }),
  );
});

test('a number that is not in its shortest form, too long or too large is refused', () => {
  refused(() => reader(128, 0).varint(), /shortest form/);
  refused(() => reader(255, 255, 255, 255, 255, 255, 255, 16).varint(), /beyond 2\^53/);
  refused(() => reader(255, 255, 255, 255, 255, 255, 255, 255, 1).varint(), /too many bytes/);
  refused(() => reader(255, 255).varint(), /ends too early/);
});

test('a writer refuses a count that is negative, broken or beyond 2^53', () => {
  for (const n of [-1, 0.5, 2 ** 53, Number.NaN]) {
    expect(() => new ByteWriter().varint(n)).toThrow('is not a count');
  }
});

test('ids are read as they were written, and only ascending ones are written', () => {
  const writer = new ByteWriter();
  fc.assert(
    fc.property(fc.uniqueArray(fc.maxSafeNat()), (ids) => {
      ids.sort((a, b) => a - b);
      const bytes = writer.reset().ids(ids).finish();
      expect(new ByteReader(bytes, 'test').ids('ids')).toEqual(ids);
      expect(Array.from(new ByteReader(bytes, 'test').idColumn('ids'))).toEqual(ids);
    }),
  );
  expect(() => writer.reset().ids([3, 3])).toThrow('must ascend');
  refused(() => reader(2, 255, 255, 255, 255, 255, 255, 255, 15, 0).ids('ids'), /beyond 2\^53/);
});

test('text is read as it was written, plain or not, short or long', () => {
  const writer = new ByteWriter();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300, size: 'max' }), (text) => {
      const bytes = writer.reset().text(text).finish();
      expect(new ByteReader(bytes, 'test').text()).toBe(text);
    }),
    { numRuns: 30 },
  );
  const marked = writer.reset().text('\ufeffmark').finish();
  expect(new ByteReader(marked, 'test').text()).toBe('\ufeffmark');
  refused(() => reader(1, 0xff).text(), /not UTF-8/);
  refused(() => reader(2, 0xc0, 0x80).text(), /not UTF-8/);
});

test('a count is refused before anything is allocated if the bytes cannot be there', () => {
  refused(
    () => reader(255, 255, 255, 255, 15).ids('ids'),
    /4294967295 ids do not fit into 0 bytes/,
  );
  refused(() => reader(3, 0, 0).count('values', 2), /do not fit/);
  refused(() => reader(5, 0).raw(6), /do not fit/);
});

test('a section cannot be left, and a body ends where its reader ends', () => {
  const writer = new ByteWriter();
  const start = writer.beginSection();
  writer.u8(7);
  writer.endSection(start);
  const outer = new ByteReader(writer.u8(9).finish(), 'test');
  const section = outer.section();
  expect(section.u8()).toBe(7);
  refused(() => section.u8(), /ends too early/);
  refused(() => outer.end(), /1 bytes too many/);
  expect(outer.u8()).toBe(9);
  outer.end();
  refused(() => reader(2, 0, 0, 0, 1).section(), /section of 2 bytes does not fit/);
});

test('a writer grows without losing what it holds, and gives away only copies', () => {
  const writer = new ByteWriter();
  const slab = new Uint8Array(100_000).fill(3);
  const bytes = writer.u8(1).raw(slab).raw(slab).finish();
  expect([bytes.length, bytes[0], bytes[1], bytes[200_000]]).toEqual([200_001, 1, 3, 3]);
  writer.reset().u8(2);
  expect(bytes[0]).toBe(1);
});

test.each([0, 1, 127, 128, 16_383, 16_384, 70_000])(
  'a part of %i bytes has the shortest length before it, wherever it begins',
  (size) => {
    const body = Uint8Array.from({ length: size }, (_, i) => i * 7);
    const writer = new ByteWriter().u8(99);
    const start = writer.beginPart(8);
    writer.raw(body);
    writer.endPart(start);
    writer.u8(98);
    const plain = new ByteWriter().u8(99).u8(8).varint(size).raw(body).u8(98);
    expect(writer.finish()).toEqual(plain.finish());
  },
);

test('differences are written as bytes if all of them fit, or not at all', () => {
  const values = Int32Array.of(5, -128, 127, 300, -129, -(2 ** 31));
  const write = (rows: number[]) => {
    const writer = new ByteWriter().u8(1);
    const isDone = writer.differences(values, Uint32Array.from(rows), rows.length);
    return [isDone, ...writer.finish()];
  };
  expect(write([0, 1, 2])).toEqual([true, 1, 5, 128, 127]);
  for (const wide of [3, 4, 5]) expect(write([0, wide])).toEqual([false, 1]);
  const writer = new ByteWriter();
  expect(writer.differences(values, undefined, 3)).toBe(true);
  expect([...writer.finish()]).toEqual([5, 128, 127]);
});

test.each([3, 192, 193, 500])('%i bytes of another writer are copied as they are', (size) => {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i * 3);
  const other = new ByteWriter().u8(7).raw(bytes).u8(8);
  const writer = new ByteWriter().u8(1);
  writer.copy(other, 1, 1 + size);
  writer.truncate(size);
  expect([...writer.finish()]).toEqual([1, ...bytes.subarray(0, size - 1)]);
});
