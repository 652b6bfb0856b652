import { describe, expect, test } from 'vitest';
import { createRandom, Hasher, hashOf } from './index.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Differing bits of two hashes. */
function bitsApart(a: string, b: string): number {
  let apart = 0;
  for (let i = 0; i < 16; i++) {
    let x = Number.parseInt(a[i] as string, 16) ^ Number.parseInt(b[i] as string, 16);
    for (; x !== 0; x >>= 1) apart += x & 1;
  }
  return apart;
}

describe('the hash of bytes', () => {
  test('L3 is these digits for ever: stored chains are made of it', () => {
    expect([
      hashOf(new Uint8Array()),
      hashOf(bytesOf('leasehold')),
      new Hasher().u32(1).f64(-0).text('a').hex(),
      new Hasher().hex(),
    ]).toEqual(['78e8687b34d33e4e', 'cc7afad3631bc726', '35200da0d4ca1a48', 'bccc616f417270d1']);
  });

  test('changes in about half its bits when any one bit of the input does', () => {
    const random = createRandom(5);
    const bytes = Uint8Array.from({ length: 61 }, () => random.below(256));
    const base = hashOf(bytes);
    let sum = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const apart = bitsApart(base, hashOf(bytes));
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(apart, `bit ${bit}`).toBeGreaterThan(12);
      sum += apart;
    }
    expect(sum / (bytes.length * 8)).toBeGreaterThan(31);
    expect(sum / (bytes.length * 8)).toBeLessThan(33);
  });

  test('tells apart every length of zeros, and prefixes of each other', () => {
    const zeros = Array.from({ length: 64 }, (_, length) => hashOf(new Uint8Array(length)));
    expect(new Set(zeros).size).toBe(64);
  });

  test('has no collision among 200,000 short inputs', () => {
    const seen = new Set<string>();
    const bytes = new Uint8Array(4);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 200_000; i++) {
      view.setUint32(0, i);
      seen.add(hashOf(bytes));
    }
    expect(seen.size).toBe(200_000);
  });

  test('does not depend on where in a buffer the bytes lie', () => {
    const whole = bytesOf('xxleaseholdxx');
    expect(hashOf(whole.subarray(2, 11))).toBe(hashOf(bytesOf('leasehold')));
  });
});

describe('a hasher', () => {
  test('tells −0 from 0, one order from another, and where one text ends', () => {
    const of = (feed: (h: Hasher) => Hasher) => feed(new Hasher()).hex();
    expect(of((h) => h.f64(-0))).not.toBe(of((h) => h.f64(0)));
    expect(of((h) => h.u32(1).u32(2))).not.toBe(of((h) => h.u32(2).u32(1)));
    expect(of((h) => h.text('ab').text('c'))).not.toBe(of((h) => h.text('a').text('bc')));
  });

  test('starts anew after reset, and may be read more than once', () => {
    const hasher = new Hasher().u32(5);
    expect(hasher.hex()).toBe(hasher.hex());
    expect(hasher.reset().u32(5).hex()).toBe(new Hasher().u32(5).hex());
  });
});
