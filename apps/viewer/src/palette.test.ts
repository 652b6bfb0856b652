import { describe, expect, test } from 'vitest';
import { contrast, inkOn, linearRgb, POD_COLOURS, PodColours, podSign } from './palette.ts';

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const SIGHTS: Record<string, readonly number[]> = {
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ],
  deutan: [
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ],
  tritan: [
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ],
};

/** OKLab, in which a distance of about 0.02 is just noticeable. */
function seen(rgb: number, sight: readonly number[]): [number, number, number] {
  const light = linearRgb(rgb);
  const row = (i: number): number =>
    Math.max(
      0,
      light.reduce((sum, value, k) => sum + value * sight[i * 3 + k]!, 0),
    );
  const [r, g, b] = [row(0), row(1), row(2)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);

describe('colours of pods', () => {
  test.each(Object.keys(SIGHTS))('any two can be told apart with %s sight', (name) => {
    const colours = POD_COLOURS.map((rgb) => seen(rgb, SIGHTS[name]!));
    for (const [i, a] of colours.entries()) {
      for (const b of colours.slice(0, i)) expect(distance(a, b)).toBeGreaterThan(0.06);
    }
  });

  test('what is written on a colour has a contrast of at least 4.5', () => {
    for (const rgb of POD_COLOURS) expect(contrast(rgb, inkOn(rgb))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(0x000000, 0xffffff)).toBeCloseTo(21);
  });

  test('a pod keeps its colour while others come and go, and a newcomer takes a free one', () => {
    const colours = new PodColours();
    colours.update(['a', 'b', 'c']);
    const [a, b, c] = ['a', 'b', 'c'].map((pod) => colours.of(pod));
    expect(new Set([a, b, c]).size).toBe(3);
    colours.update(['c', 'd', 'a']);
    expect([colours.of('a'), colours.of('c')]).toEqual([a, c]);
    expect(colours.of('d')).toBe(b);
  });

  test('more pods than colours share them evenly', () => {
    const colours = new PodColours();
    const pods = Array.from({ length: POD_COLOURS.length * 2 }, (_, i) => `pod-${i}`);
    colours.update(pods);
    for (const rgb of POD_COLOURS) {
      expect(pods.filter((pod) => colours.of(pod) === rgb)).toHaveLength(2);
    }
  });

  test('the sign of a pod is the number its name ends with', () => {
    expect([podSign('pod-12'), podSign('pod3'), podSign('north')]).toEqual(['12', '3', 'no']);
  });
});
