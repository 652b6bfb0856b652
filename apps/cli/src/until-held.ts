/** The start of a run: time stands still until every cell that is awake has a pod. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import type { Fleet, Pod } from './fleet.ts';
import type { Output } from './output.ts';
import type { StoredWorld } from './stored-world.ts';

const LOOK_MS = 50;
/** Pods claim cell by cell at a bounded rate; a minute is for the largest worlds. */
const HELD_MAX_MS = 60_000;
const SHARED_MAX_MS = 5_000;

type Start = {
  readonly world: StoredWorld;
  readonly fleet: Fleet;
  /** How many there should be of each layer. */
  readonly pods: number;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Reads what pods report. */
  readonly look: () => Promise<void>;
};

/** Errors: `POD_FAILED` when all pods have ended, or when cells are left after a minute. */
export async function untilHeld({ world, fleet, pods, output, signal, look }: Start) {
  const { blocks } = world.loaded.grid;
  const cells = world.loaded.grid.cells * world.stores.length;
  const all = pods * world.stores.length;
  const deadlineMs = performance.now() + HELD_MAX_MS;
  const sharedByMs = performance.now() + SHARED_MAX_MS;
  let held = 0;
  let asleep = 0;
  // Every pod should have its share before time runs, or the run begins with handovers.
  const isShared = (): boolean =>
    performance.now() > sharedByMs ||
    fleet.alive.filter(({ report }) => (report['cells'] ?? 0) > 0).length >=
      Math.min(all, blocks * world.stores.length);
  while ((held + asleep < cells || !isShared()) && !signal.aborted) {
    await look();
    asleep = await asleepIn(world);
    held = fleet.alive.reduce((sum, { report }) => sum + (report['cells'] ?? 0), 0);
    output.live([`  ${held} of ${cells - asleep} cells are held`]);
    if (fleet.alive.length === 0) throw allEnded(fleet);
    if (performance.now() > deadlineMs) {
      throw new LeaseholdError('POD_FAILED', `only ${held} of ${cells - asleep} cells are held`, {
        field: '--pods',
        value: String(pods),
        remedy: 'Start more pods, or look at their log for what keeps them.',
      });
    }
    await sleep(LOOK_MS);
  }
  if (signal.aborted) return;
  const alive = fleet.alive.length;
  const sleeping = asleep === 0 ? '' : `, ${asleep} sleep`;
  output.progress(`${alive} pod${alive === 1 ? ' holds' : 's hold'} ${held} cells${sleeping}`);
}

/**
 * Cells that by the plan in force nobody is to hold: of a world that has run before, or that takes
 * longer to start than its cells take to fall asleep.
 */
async function asleepIn({ stores }: StoredWorld): Promise<number> {
  const plans = await Promise.all(stores.map((store) => store.plan()));
  const asleep = plans.flatMap((plan) => plan?.asleep ?? []);
  return asleep.reduce((sum, [, cells]) => sum + cells, 0);
}

function allEnded(fleet: Fleet): LeaseholdError {
  const pod = fleet.pods.at(-1) as Pod;
  return new LeaseholdError('POD_FAILED', `all pods ended: ${fleet.failures.join('; ')}`, {
    field: 'pod',
    value: pod.child.lastWords.join('\n'),
    remedy: 'Mend what the last lines say, and run again: the world is as it was.',
  });
}
