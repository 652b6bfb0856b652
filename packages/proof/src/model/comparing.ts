/** Answers and heads of the store against those of the model, and which promise a difference breaks. */
import { isDeepStrictEqual } from 'node:util';
import type { CellImage, Head } from '@leasehold/protocol';
import type { Answer, CellModel, ModelHead } from './cell-model.ts';
import { Violation } from './suite.ts';

export type Kind = 'acquire' | 'renew' | 'leave' | 'revoke' | 'commit' | 'post';

/** What a refusal says to people is not compared. */
const UNSAID: ReadonlySet<string> = new Set(['BADARG', 'BADCURSOR', 'REFUSED']);

/** Throws `Violation` when the store said something else than the model. */
export function expectAnswer(kind: Kind, expected: Answer, got: Answer): void {
  const plain = comparable(got);
  if (isDeepStrictEqual(plain, UNSAID.has(expected.tag) ? { tag: expected.tag } : expected)) return;
  throw new Violation(
    brokenRule(kind, expected, got),
    `${kind}: ${shown(expected)} was due, the store says ${shown(plain)}`,
  );
}

function comparable(got: Answer): unknown {
  if (UNSAID.has(got.tag)) return { tag: got.tag };
  return 'head' in got ? { ...got, head: plainHead(got['head'] as Head) } : got;
}

const plainHead = (head: Head): ModelHead => ({
  ...head,
  cursors: new Map(head.cursors),
  checkpoints: head.checkpoints.map(({ seq, tick }) => ({ seq, tick })),
});

function brokenRule(kind: Kind, expected: Answer, got: Answer): string {
  // The store was left halfway, which it tells as an unknown outcome.
  if (got.tag === 'UNKNOWN') return 'L3';
  if (kind === 'post') return 'M1';
  if (expected.tag === 'FENCED') return 'L1';
  if (kind === 'acquire') {
    if (expected.tag === 'BADARG') return 'L2';
    if (expected.tag !== 'GRANTED' || got.tag !== 'GRANTED') return 'L5';
    return epochOf(expected) === epochOf(got) ? 'L4' : 'L2';
  }
  const rules: Readonly<Record<string, string>> = { ALREADY: 'L4', HEAD: 'L3', BADCURSOR: 'E1' };
  return rules[expected.tag] ?? (got.tag === 'FENCED' ? 'L1' : 'L4');
}

const epochOf = (answer: Answer): string | undefined =>
  (answer as { readonly claim?: { readonly epoch: string } }).claim?.epoch;

/** Throws `Violation` when a cell is not where the model has it. */
export function expectHead(model: CellModel, head: Head | Answer): void {
  const due = model.head();
  if ('tag' in head && !('cell' in head)) {
    throw new Violation('L3', `cell ${model.cell} has no head: ${shown(head)}`);
  }
  const found = plainHead(head as Head);
  if (isDeepStrictEqual(found, due)) return;
  const field = (Object.keys(due) as (keyof ModelHead)[]).find(
    (name) => !isDeepStrictEqual(found[name], due[name]),
  );
  throw new Violation(
    RULES[field ?? ''] ?? 'L3',
    `cell ${model.cell}: ${field} is ${shown(found[field ?? 'seq'])}, ${shown(due[field ?? 'seq'])} is due`,
  );
}

const RULES: Readonly<Record<string, string>> = {
  nonce: 'L1',
  epoch: 'L2',
  outSeq: 'E1',
  cursors: 'E1',
  inboxCursor: 'M1',
};

/** L3: a cell that is read whole is what was committed, from the checkpoint it begins with. */
export function expectImage(model: CellModel, image: CellImage): void {
  const { checkpoint, entries } = image;
  const from = checkpoint?.seq ?? 0;
  if (checkpoint !== undefined) {
    const due = model.checkpoints.find(({ seq }) => seq === from);
    if (!isDeepStrictEqual(plainBody(checkpoint), due && plainBody(due))) {
      throw new Violation('L3', `checkpoint ${shown(checkpoint)}, ${shown(due)} is due`);
    }
  }
  const due = model.log.filter(({ seq }) => seq > from).map(plainBody);
  const found = entries.map(({ version: _version, ...entry }) => plainBody(entry));
  if (isDeepStrictEqual(found, due)) return;
  throw new Violation('L3', `log of cell ${model.cell}: ${shown(found)}, ${shown(due)} is due`);
}

const plainBody = <T extends { readonly body: Uint8Array }>(each: T) => ({
  ...each,
  body: Buffer.from(each.body).toString('latin1'),
});

/** Throws `Violation` unless both are the same. */
export function expectSame(rule: string, what: string, found: unknown, due: unknown): void {
  if (isDeepStrictEqual(found, due)) return;
  throw new Violation(rule, `${what}: ${shown(found)}, ${shown(due)} is due`);
}

export function shown(value: unknown): string {
  const plain = (_key: string, each: unknown): unknown =>
    each instanceof Map ? Object.fromEntries(each) : typeof each === 'bigint' ? String(each) : each;
  return JSON.stringify(value, plain);
}
