import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../bytes.ts';
import {
  type Answer,
  encodeCellsPart,
  encodeHoldersPart,
  encodeScopePart,
  encodeTimePart,
  FrameReader,
  FrameWriter,
  PART,
  peekCell,
  readCells,
  readHolders,
  readJsonPart,
  readScope,
  readTime,
  viewShape,
} from './index.ts';
import { bodyOf, layer } from './testing.ts';

const refuses = (act: () => unknown): void =>
  expect(act).toThrow(
    expect.objectContaining({
      code: 'BODY_MALFORMED',
      detail: expect.objectContaining({ remedy: expect.stringMatching(/gateway/) }),
    }),
  );
const bytes = (write: (writer: ByteWriter) => unknown): ByteReader => {
  const writer = new ByteWriter();
  write(writer);
  return new ByteReader(writer.finish(), 'frame');
};

const time = {
  nowMs: 1.5e12,
  baseMs: 1e12,
  baseTick: 7,
  rateHz: 20,
  isPaused: true,
  isLockstep: false,
};

describe('a frame', () => {
  test('has its time and tick, and its parts in order', () => {
    const answer: Answer = { to: 'subscribe', id: 3, ok: true };
    const holders = { pods: ['a', 'é'], gone: [false, true], cells: Uint16Array.of(0, 0, 2, 1, 1) };
    const writer = new FrameWriter().begin(12.25, 300).json('answer', answer).time(time);
    writer.holders(holders).scope(65_535).cells('gone', [9, 2, 9]).cells('resync', []).live();
    const frame = writer.finish();
    expect(frame.length).toBe(writer.length);
    const reader = new FrameReader(frame);
    expect([reader.storeMs, reader.tick]).toEqual([12.25, 300]);
    const next = () => {
      const part = reader.next();
      return [part?.kind, part?.body] as [number, ByteReader];
    };
    const expectPart = (
      kind: number,
      read: (body: ByteReader) => unknown,
      value: unknown,
    ): void => {
      const [found, body] = next();
      expect(found).toBe(kind);
      expect(read(body)).toEqual(value);
    };
    expectPart(PART.answer, readJsonPart, answer);
    expectPart(PART.time, readTime, time);
    expectPart(PART.holders, (body) => readHolders(body, 5), holders);
    expectPart(PART.scope, readScope, 65_535);
    expectPart(PART.gone, readCells, [2, 9]);
    expectPart(PART.resync, readCells, []);
    expectPart(PART.live, (body) => body.remaining, 0);
    expect(reader.next()).toBeUndefined();
  });

  test('is read past parts of later builds', () => {
    const frame = new FrameWriter()
      .begin(0, 0)
      .part(Uint8Array.of(99, 2, 1, 1))
      .scope(1)
      .finish();
    const reader = new FrameReader(frame);
    expect(reader.next()?.kind).toBe(PART.scope);
    expect(reader.next()).toBeUndefined();
  });

  test('of another version, cut off or without a time is refused', () => {
    const frame = new FrameWriter().begin(1, 1).scope(300).finish();
    refuses(() => new FrameReader(new Uint8Array(0)));
    refuses(() => new FrameReader(Uint8Array.of(2, ...frame.subarray(1))));
    refuses(() => new FrameReader(new FrameWriter().begin(Number.NaN, 1).finish()));
    for (let cut = 0; cut < frame.length; cut++) {
      if (cut === 10) continue;
      refuses(() => {
        const reader = new FrameReader(frame.subarray(0, cut));
        while (reader.next() !== undefined);
      });
    }
  });

  test('scopes the same way in a writer and as a part', () => {
    for (const id of [1, 127, 128, 16_383, 16_384, 65_535]) {
      const frame = new FrameWriter().begin(0, 0).scope(id).finish();
      expect(frame.subarray(10)).toEqual(encodeScopePart(id));
    }
  });
});

describe('a part', () => {
  test.each(['', '[]', 'null', '1', '"a"', '{', '{}{}', '\ufeff{}'])(
    'of JSON %j is refused',
    (text) => {
      refuses(() => readJsonPart(bytes((writer) => writer.raw(new TextEncoder().encode(text)))));
    },
  );

  test('of JSON that is no UTF-8 is refused', () => {
    refuses(() => readJsonPart(bytes((writer) => writer.raw(Uint8Array.of(123, 34, 255, 34)))));
  });

  test.each([
    ['no numbers', { nowMs: Number.NaN }],
    ['an endless time', { baseMs: Infinity }],
    ['a rate below 0', { rateHz: -1 }],
  ])('of a time with %s is refused', (_, wrong) => {
    refuses(() => readTime(bodyOf(encodeTimePart({ ...time, ...wrong }))));
  });

  test('of a time with flags that nobody knows, or bytes after it, is refused', () => {
    const part = encodeTimePart(time);
    refuses(() => readTime(bodyOf(part.map((byte, i) => (i === part.length - 1 ? 4 : byte)))));
    refuses(() => readTime(bytes((writer) => writer.raw(part.subarray(2)).u8(0))));
  });

  test('of holders is of all cells of the grid, each held by a pod that is named', () => {
    const part = encodeHoldersPart({ pods: ['a'], gone: [false], cells: Uint16Array.of(1, 1, 0) });
    expect(readHolders(bodyOf(part), 3).cells).toEqual(Uint16Array.of(1, 1, 0));
    refuses(() => readHolders(bodyOf(part), 2));
    refuses(() => readHolders(bodyOf(part), 4));
    const pods = (writer: ByteWriter) => writer.varint(1).text('a').u8(0);
    refuses(() =>
      readHolders(
        bytes((writer) => pods(writer).varint(3).varint(2)),
        3,
      ),
    );
    refuses(() =>
      readHolders(
        bytes((writer) => pods(writer).varint(0).varint(1)),
        3,
      ),
    );
    refuses(() =>
      readHolders(
        bytes((writer) => pods(writer).varint(4).varint(1)),
        3,
      ),
    );
    refuses(() =>
      readHolders(
        bytes((writer) => writer.varint(1).text('a').u8(2)),
        0,
      ),
    );
    refuses(() =>
      readHolders(
        bytes((writer) => writer.varint(2 ** 40)),
        3,
      ),
    );
  });

  test('of cells does not claim more than its bytes', () => {
    expect(peekCell(bodyOf(encodeCellsPart('gone', [300])))).toBe(1);
    refuses(() => readCells(bytes((writer) => writer.varint(2 ** 50).u8(0))));
    refuses(() => readCells(bytes((writer) => writer.ids([1]).u8(0))));
  });
});

describe('the shape of a view', () => {
  test('has all components, or those selected in the order of the layer, with their bits', () => {
    const names = layer.components.map(({ name }) => name);
    expect(viewShape(layer.components).components.map(({ name }) => name)).toEqual(names);
    const some = viewShape(layer.components, ['tag', 'position', 'tag']).components;
    expect(some.map(({ name, index }) => [name, names.indexOf(name) - index])).toEqual([
      ['position', 0],
      ['tag', 0],
    ]);
    expect(some[0]?.fields.map(({ step, axis }) => [step, axis])).toEqual([
      [0.01, 1],
      [0.01, 2],
    ]);
    expect(viewShape(layer.components, []).components).toEqual([]);
  });

  test('is of components that there are', () => {
    expect(() => viewShape(layer.components, ['position', 'nobody'])).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_UNKNOWN',
        detail: expect.objectContaining({ field: 'components', value: 'nobody' }),
      }),
    );
  });
});
