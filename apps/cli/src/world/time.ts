/** `leasehold world pause`, `resume` and `step`: the world's time, for all its pods. */
import { tickAt, type WorldClock } from '@leasehold/protocol';
import { pauseWorld, resumeWorld, stepWorld, timeOf } from '@leasehold/world';
import { type OpenWorld, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count } from '../text-table.ts';

export function pause(flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { clock, isChanged } = await pauseWorld(open);
    return told(open, clock, output, isChanged ? 'stands still' : 'stands still already');
  });
}

export function resume(flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { clock, isChanged } = await resumeWorld(open);
    return told(open, clock, output, isChanged ? 'goes on' : 'runs already');
  });
}

export function step(ticks: number, flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { rateHz } = await timeOf(open);
    output.progress(`${count(ticks, 'tick')}, ${(ticks / rateHz).toFixed(1)} s`);
    const stopped = await stepWorld(open, ticks);
    return told(open, stopped, output, `has made ${count(ticks, 'tick')}, and stands still`);
  });
}

function told(
  { world, incarnation, store }: OpenWorld,
  clock: WorldClock,
  output: Output,
  what: string,
): number {
  const tick = tickAt(clock, store.nowMs());
  const { isPaused, rateHz } = clock;
  output.json({ world, incarnation, tick, isPaused, rateHz });
  output.print(`${output.colors.bold(world)} ${what}, at tick ${tick}`);
  return 0;
}
