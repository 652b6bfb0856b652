/** What must come right once faults have stopped, each within its time, and what must be true then. */
import { OUTBOX } from '@leasehold/protocol';
import type { Rig } from './fault.ts';
import type { Plan } from './plan.ts';
import { census, WORLD } from './world.ts';

/** W1. */
const HELD_MS_MAX = 10_000;
/** Channels drained, counted from when every cell is held. */
const DRAINED_MS_MAX = 10_000;
const END_TICK_MS_MAX = 30_000;
const VIEWS_MS_MAX = 15_000;
const LOOK_MS = 100;

/** Acquisitions without a commit in between after which a pod freezes a cell, as the pod has it. */
const ATTEMPTS_MAX = 6;

/**
 * Cells that are frozen because one pod after the other died before it could commit them. That is
 * what is promised (W1 is void for them): such a world need not come right, only never be wrong.
 */
export function frozenCells(rig: Rig): number[] {
  const frozen = [...recordsOf(rig)].filter(([, { attempts }]) => attempts >= ATTEMPTS_MAX);
  return frozen.map(([cell]) => cell);
}

/** Waits until the world is as it must be. The first thing that is wrong, or ''. */
export async function settle(rig: Rig, plan: Plan, calm: string | undefined): Promise<string> {
  const held = await until(rig, HELD_MS_MAX, () => unheld(rig));
  if (held !== '') return `W1 after ${HELD_MS_MAX} ms ${held}`;
  if (plan.world.mode === 'lockstep') {
    const ended = await until(rig, END_TICK_MS_MAX, () => behind(rig));
    if (ended !== '') return `W1 ${ended}`;
  } else {
    const sent = sentSoFar(rig);
    const drained = await until(rig, DRAINED_MS_MAX, () => unread(rig, sent));
    if (drained !== '') return `E1 after ${DRAINED_MS_MAX} ms ${drained}`;
    await pauseWorld(rig);
  }
  const violation = rig.world.ledger.violations[0];
  if (violation !== undefined) return violation;
  const seen = await until(rig, VIEWS_MS_MAX, () => unseen(rig));
  if (seen !== '') return `V1 after ${VIEWS_MS_MAX} ms at rest ${seen}`;
  const { faults, hash } = census(rig.world);
  if (faults[0] !== undefined) return faults[0];
  if (calm !== undefined && hash !== calm) return `T1 the world came to ${hash}, calm to ${calm}`;
  return rig.world.ledger.violations[0] ?? '';
}

/** `fault` says what is not right yet; '' ends the wait. */
async function until(rig: Rig, ms: number, fault: () => string): Promise<string> {
  const endMs = rig.time.nowMs + ms;
  for (;;) {
    const found = fault();
    const violation = rig.world.ledger.violations[0];
    if (found === '' || violation !== undefined) return violation ?? '';
    if (rig.time.nowMs >= endMs) return found;
    await rig.time.advance(LOOK_MS);
  }
}

function recordsOf({ world }: Rig) {
  return world.server.cells(WORLD.world, WORLD.incarnation, WORLD.layer);
}

/** W1: cells whose lease is not in force, or is that of a dead pod. */
function unheld(rig: Rig): string {
  const nowMs = rig.world.server.nowMs();
  for (let cell = 0; cell < rig.world.grid.cells; cell++) {
    const record = recordsOf(rig).get(cell);
    const holder = record?.nonce.split('.')[0] ?? '';
    if (holder === '') return `cell ${cell} is held by nobody`;
    if (!rig.fleet.pods.has(holder)) return `cell ${cell} is held by ${holder}, which is dead`;
    if ((record?.deadlineMs ?? 0) < nowMs) return `the lease of cell ${cell} has run out`;
  }
  return '';
}

function behind(rig: Rig): string {
  const { endTick } = rig.world.options;
  for (let cell = 0; cell < rig.world.grid.cells; cell++) {
    const { tick } = rig.world.ledger.pageOf(cell);
    if (tick < endTick) return `cell ${cell} is at tick ${tick} of ${endTick}`;
  }
  return '';
}

/** What is in each channel now. */
function sentSoFar(rig: Rig): ReadonlyMap<number, number> {
  return new Map([...recordsOf(rig)].map(([cell, { outSeq }]) => [cell, outSeq]));
}

function unread(rig: Rig, sent: ReadonlyMap<number, number>): string {
  const records = recordsOf(rig);
  for (const [cell, { out }] of records) {
    for (const { seq, to } of out) {
      if (seq > (sent.get(cell) ?? 0)) break;
      // Brought by whoever holds the cell: nobody has a cursor for it.
      if (to === OUTBOX) continue;
      const cursor = records.get(to)?.cursors.get(cell) ?? 0;
      if (seq > cursor) return `${to} has not read entry ${seq} of the channel of ${cell}`;
    }
  }
  return '';
}

async function pauseWorld(rig: Rig): Promise<void> {
  const { watcher } = rig.world;
  const clock = await watcher.clock();
  if (clock === undefined) throw new Error('the world has no clock');
  await watcher.setClock({ ...clock, isPaused: true });
  await rig.time.advance(2_000);
}

function unseen(rig: Rig): string {
  const truth = census(rig.world);
  for (const viewer of rig.viewers.all) {
    const difference = viewer.difference(truth, rig.world);
    if (difference !== '') return difference;
  }
  return '';
}
