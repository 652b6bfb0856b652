/**
 * Goal: whatever a client says, it is read or refused by name, and a refusal is short.
 * Method: messages of every kind, damaged as bytes.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { FUZZ_RUNS, fuzz } from '@leasehold/protocol/fuzz-fixture';
import { describe, expect, test } from 'vitest';
import { VIEW_LIMITS } from './limits.ts';
import { readMessage } from './messages.ts';

const SLOW = { timeout: 240_000 };
const seeds = process.env['SIM_SEED'] ? [Number(process.env['SIM_SEED'])] : [1];
const box = { kind: 'box', minX: -1.5, minY: 0, maxX: 1e3, maxY: 1 };
const points = [
  [0, 0],
  [1, 0],
  [1, 1],
];
const messages: readonly unknown[] = [
  { type: 'hello', protocol: 1, world: 'flights' },
  { type: 'subscribe', id: 1, area: box, components: ['position'], with: ['wolf'], rateHz: 10 },
  { type: 'subscribe', id: 2, area: { kind: 'world' }, have: [[1, 2, 3, 4]] },
  { type: 'area', id: 1, area: { kind: 'circle', x: 1, y: 2, radius: 3 } },
  { type: 'area', id: 1, area: { kind: 'polygon', points } },
  { type: 'area', id: 1, area: { kind: 'around', entity: 7, radius: 3 } },
  { type: 'unsubscribe', id: 1 },
  { type: 'resync', id: 1, cells: [1, 2, 3] },
  { type: 'status', on: true },
];

describe.each(seeds)(`a gateway told ${FUZZ_RUNS} damaged messages (SIM_SEED=%i)`, SLOW, (seed) => {
  test('reads them or refuses by name and field', () => {
    const valid = messages.map((message) => new TextEncoder().encode(JSON.stringify(message)));
    const decoder = new TextDecoder();
    const seen = fuzz({
      ...{ seed, valid, spared: 1 },
      codes: ['VIEW_MESSAGE_INVALID', 'AREA_INVALID', 'LIMIT_EXCEEDED'],
      read(bytes) {
        try {
          readMessage(decoder.decode(bytes), VIEW_LIMITS.messageBytesMax);
        } catch (error) {
          if (error instanceof LeaseholdError && error.message.length > 300) {
            throw new Error(`a refusal of ${error.message.length} characters`);
          }
          throw error;
        }
        return true;
      },
    });
    expect(seen.taken).toBeGreaterThan(500);
    expect(seen.refused).toBeGreaterThan(25_000);
  });
});
