/**
 * Goal: whatever bytes a client is sent, it has a value, asks for the state, or says that they are
 * malformed; soon, and in memory that the bytes account for.
 * Method: valid frames and parts of random histories, mutated and cut off.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { FUZZ_RUNS, fuzz } from '../fuzz-fixture.ts';
import {
  CellRows,
  encodePlanPart,
  FrameReader,
  FrameWriter,
  PART,
  readCells,
  readHolders,
  readJsonPart,
  readPlan,
  readScope,
  readTime,
} from './index.ts';
import { bodyOf, CELL, CENTRE, PublishedCell, planOf, play, steps, Watcher } from './testing.ts';

/** A hundred thousand inputs a reader; other work on the machine must not fail it. */
const SLOW = { timeout: 240_000 };
const CELLS = 900;
const EXTENT = { columns: 30, rows: 30 };
const seeds = process.env['SIM_SEED'] ? [Number(process.env['SIM_SEED'])] : [1];
const names = ['body', 'mind', 'plain', 'position', 'tag'];

type Sent = {
  readonly shape: Watcher['shape'];
  readonly before?: Uint8Array;
  readonly part: Uint8Array;
};

/** Parts of cells, each with the state that a delta is to be applied to. */
const corpus: readonly Sent[] = fc.sample(steps, { numRuns: 12, seed: 42 }).flatMap((history) => {
  const cell = new PublishedCell();
  const watcher = new Watcher(names);
  let before: Uint8Array | undefined;
  return history.map((step) => {
    const chosen = play(cell, step);
    const { shape } = watcher;
    const part = watcher.follow(cell, chosen, step.service === 'state');
    const sent = before === undefined ? { shape, part } : { shape, part, before };
    before = new Watcher(names).follow(cell, chosen, true);
    return sent;
  });
});

function copyOf({ shape, before }: Sent): CellRows {
  const copy = new CellRows(shape, CELL, ...CENTRE);
  if (before !== undefined) copy.applyState(bodyOf(before));
  return copy;
}

const plan = encodePlanPart(planOf(3));
const decided = {
  ...{ atMs: 1, version: 4, kind: 'move' as const, cause: 'heavy', regions: [1, 2], cells: 9 },
  ...{ before: { a: 1.5 }, expected: { a: 0.5, b: 1 } },
};

const frames = corpus.map(({ part }, i) => {
  const writer = new FrameWriter().begin(i * 1e3, i);
  writer.time({ nowMs: 1, baseMs: 2, baseTick: 3, rateHz: 4, isPaused: true, isLockstep: true });
  writer.holders({ pods: ['a', 'b'], gone: [false, true], cells: new Uint16Array(CELLS).fill(2) });
  writer.json('feed', { atMs: i, kind: 'audit', pod: '', facts: { about: 'end', lost: 0 } });
  writer.part(plan).json('journal', { ...decided, id: `${i}-0` });
  return writer.scope(1).cells('gone', [1, 7]).cells('resync', [i]).part(part).live().finish();
});

const JSON_KINDS: readonly number[] = [
  ...[PART.welcome, PART.answer, PART.status, PART.feed, PART.journal],
];

/** Reads all of a frame, as a client does. */
function readAll(bytes: Uint8Array, copy: CellRows): void {
  const reader = new FrameReader(bytes);
  for (let part = reader.next(); part !== undefined; part = reader.next()) {
    const { kind, body } = part;
    if (JSON_KINDS.includes(kind)) readJsonPart(body);
    else if (kind === PART.time) readTime(body);
    else if (kind === PART.holders) readHolders(body, CELLS);
    else if (kind === PART.plan) readPlan(body, EXTENT);
    else if (kind === PART.scope) readScope(body);
    else if (kind === PART.state) copy.applyState(body);
    else if (kind === PART.delta) copy.applyDelta(body);
    else if (kind === PART.gone || kind === PART.resync) readCells(body);
    else body.end();
  }
}

/** Applies the body that is left of a part. */
function applyBody(bytes: Uint8Array, sent: Sent): { copy: CellRows; isTaken: boolean } {
  const copy = copyOf(sent);
  const body = new ByteReader(bytes, 'frame');
  if (sent.part[0] === PART.state) return { copy, isTaken: copy.applyState(body) !== undefined };
  return { copy, isTaken: copy.applyDelta(body) !== undefined };
}

/** Runs the reader on mutants of `valid`; counts what it said of them. */
const fuzzed = (
  seed: number,
  valid: readonly Uint8Array[],
  read: (bytes: Uint8Array, index: number) => boolean,
) => fuzz({ seed, valid, spared: 12, codes: ['BODY_MALFORMED'], read });

describe.each(seeds)(`a client sent ${FUZZ_RUNS} damaged (SIM_SEED=%i)`, SLOW, (seed) => {
  test('frames refuses them by code or reads them', () => {
    const seen = fuzzed(seed, frames, (bytes, index) => {
      readAll(bytes, copyOf(corpus[index] as Sent));
      return true;
    });
    expect(seen.taken).toBeGreaterThan(500);
    expect(seen.refused).toBeGreaterThan(25_000);
  });

  test('states and deltas refuses them, breaks the chain or has rows in order', () => {
    const bodies = corpus.map(({ part }) => {
      const body = bodyOf(part);
      return body.raw(body.remaining);
    });
    const seen = fuzzed(seed, bodies, (bytes, index) => {
      const { copy, isTaken } = applyBody(bytes, corpus[index] as Sent);
      const before = copyOf(corpus[index] as Sent);
      expect(copy.count).toBeLessThanOrEqual(before.count + bytes.length);
      expect(copy.ids.length).toBeLessThanOrEqual(
        Math.max(8, before.ids.length * 1.5 + bytes.length),
      );
      const ids = copy.ids.subarray(0, copy.count);
      expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as number))).toBe(true);
      return isTaken;
    });
    expect(seen.taken).toBeGreaterThan(500);
    expect(seen.refused).toBeGreaterThan(25_000);
  });
});

test('a plan cut off anywhere is malformed', () => {
  for (const part of [plan, encodePlanPart(planOf(0))]) {
    const whole = bodyOf(part);
    const bytes = whole.raw(whole.remaining);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(() => readPlan(new ByteReader(bytes.subarray(0, cut), 'frame'), EXTENT)).toThrow(
        expect.objectContaining({ code: 'BODY_MALFORMED' }),
      );
    }
  }
});

describe('a part cut off anywhere', () => {
  test('is malformed', () => {
    for (const sent of corpus.slice(0, 40)) {
      const body = bodyOf(sent.part);
      const bytes = body.raw(body.remaining);
      for (let cut = 0; cut < bytes.length; cut++) {
        expect(() => applyBody(bytes.subarray(0, cut), sent)).toThrow(
          expect.objectContaining({ code: 'BODY_MALFORMED' }),
        );
      }
    }
  });
});

describe('a part that claims more than it holds is malformed before anything is made for it:', () => {
  const head = (): ByteWriter => new ByteWriter().varint(CELL).varint(1).varint(1).u32(1);
  const [sent] = corpus as [Sent];
  const greedy: readonly [string, number, ByteWriter][] = [
    ['ids', PART.state, head().varint(2 ** 52)],
    ['ids that run out', PART.state, head().varint(60).varint(1)],
    ['values', PART.state, head().ids([1, 2, 3]).u8(1).u8(2)],
    [
      'removed ids',
      PART.delta,
      head()
        .varint(0)
        .u32(1)
        .u8(1)
        .varint(2 ** 40),
    ],
    [
      'added ids',
      PART.delta,
      head()
        .varint(0)
        .u32(1)
        .u8(2)
        .varint(2 ** 40),
    ],
    [
      'changes',
      PART.delta,
      head()
        .varint(0)
        .u32(1)
        .u8(4)
        .varint(2 ** 40),
    ],
  ];

  test.each(greedy)('%s', (_, kind, writer) => {
    const copy = copyOf(sent);
    copy.applyState(bodyOf(new Watcher(names).follow(published(), undefined, true)));
    [copy.seq, copy.hash] = [1, 1];
    const body = new ByteReader(writer.finish(), 'frame');
    const capacity = copy.ids.length;
    const apply = () => (kind === PART.state ? copy.applyState(body) : copy.applyDelta(body));
    expect(apply).toThrow(expect.objectContaining({ code: 'BODY_MALFORMED' }));
    expect(copy.ids.length).toBe(capacity);
  });
});

function published(): PublishedCell {
  const cell = new PublishedCell();
  cell.put(1, 31, 1);
  cell.publish();
  return cell;
}
