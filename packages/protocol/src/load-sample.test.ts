import { describe, expect, test } from 'vitest';
import { decodeLoadSample, encodeLoadSample, type LoadSample } from './index.ts';

const SAMPLE: LoadSample = {
  atMs: 1_800_000_000_123,
  pods: [
    {
      pod: 'a',
      state: 'ready',
      order: 'cordon',
      cells: [
        { cell: 0, tickMs: 0.5, entities: 255 },
        { cell: 9_999, tickMs: 12, entities: 0 },
      ],
    },
    { pod: 'b', state: 'draining', order: 'drain', cells: [] },
    { pod: 'c', state: 'ready', order: '', cells: [{ cell: 7, tickMs: Number.NaN, entities: -1 }] },
  ],
};

describe('a sample of loads', () => {
  test('is read as it was written', () => {
    expect(decodeLoadSample(encodeLoadSample(SAMPLE))).toEqual(SAMPLE);
    const none = { atMs: 0, pods: [] };
    expect(decodeLoadSample(encodeLoadSample(none))).toEqual(none);
  });

  test('keeps every number within 0.4 %, whatever it is', () => {
    const values = [1 / 3, 17.77, 1e-3, 65_535, 1e12, -1e12, 3.4e38, 1e-30];
    const odd = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    const cells = [...values, ...odd].map((tickMs, cell) => ({ cell, tickMs, entities: tickMs }));
    const sample: LoadSample = { atMs: 1, pods: [{ pod: 'a', state: 'ready', order: '', cells }] };
    const read = decodeLoadSample(encodeLoadSample(sample)).pods[0]?.cells ?? [];
    for (const [i, value] of values.entries()) {
      for (const kept of [read[i]?.tickMs ?? 0, read[i]?.entities ?? 0]) {
        expect(Math.abs(kept / value - 1), String(value)).toBeLessThan(0.004);
      }
    }
    expect(read.slice(values.length).map(({ tickMs }) => tickMs)).toEqual(odd);
  });

  test('takes five bytes a cell', () => {
    const pods = Array.from({ length: 100 }, (_, pod) => ({
      pod: `pod-${pod}`,
      state: 'ready' as const,
      order: '' as const,
      cells: Array.from({ length: 100 }, (_, i) => ({
        cell: i * 100 + pod,
        tickMs: 1,
        entities: 9,
      })),
    }));
    expect(encodeLoadSample({ atMs: 1, pods }).length).toBeLessThan(51_500);
  });

  test('that is cut short, too long or of another version is BODY_MALFORMED', () => {
    const bytes = encodeLoadSample(SAMPLE);
    const orderAt = 1 + 8 + 1 + 2;
    const wrong = [
      ...Array.from({ length: bytes.length }, (_, end) => bytes.slice(0, end)),
      new Uint8Array([...bytes, 0]),
      new Uint8Array([2, ...bytes.slice(1)]),
      bytes.map((byte, at) => (at === orderAt ? 6 : byte)),
    ];
    for (const of of wrong) {
      expect(() => decodeLoadSample(of)).toThrow(
        expect.objectContaining({ code: 'BODY_MALFORMED' }),
      );
    }
  });
});
