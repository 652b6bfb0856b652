/** Reads a cell's meta hash. */
import type { Head } from '@leasehold/protocol';

type Checkpoint = Head['checkpoints'][number];

/** A cell that was never written has an empty hash. */
export function readHead(cell: number, meta: ReadonlyMap<string, string>): Head {
  const integer = (name: string): number => Number(meta.get(name) ?? 0);
  const cursors = new Map<number, number>();
  for (const [name, value] of meta) {
    if (name.startsWith('in:')) cursors.set(Number(name.slice(3)), Number(value));
  }
  return {
    cell,
    seq: integer('seq'),
    hash: meta.get('hash') ?? '',
    tick: integer('tick'),
    epoch: meta.get('epoch') ?? '0',
    nonce: meta.get('nonce') ?? '',
    idCounter: integer('ids'),
    asked: integer('asked'),
    restoredSeq: integer('restored'),
    outSeq: integer('out'),
    inboxCursor: integer('inbox'),
    cursors,
    checkpoints: checkpoints(meta),
  };
}

function checkpoints(meta: ReadonlyMap<string, string>): Checkpoint[] {
  const found: Checkpoint[] = [];
  for (const slot of [0, 1] as const) {
    const [seq = 0, tick = 0] = (meta.get(`c${slot}`) ?? '').split(':').map(Number);
    if (seq > 0) found.push({ slot, seq, tick });
  }
  return found.sort((a, b) => b.seq - a.seq);
}
