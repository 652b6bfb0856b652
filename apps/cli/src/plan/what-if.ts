/** `leasehold plan replay`: recorded loads planned again by other policies, beside what was in force. */
import { type Policy, replay } from '@leasehold/plan';
import { type WorldFlags, withWorld } from '../known-world.ts';
import type { Colors, Output } from '../output.ts';
import { count, textTable } from '../text-table.ts';
import { type Figures, inForce } from './in-force.ts';
import { ENTRIES_MAX } from './options.ts';
import { timeOf } from './words.ts';

export type WhatIfOptions = WorldFlags & {
  readonly policies: readonly Policy[];
  readonly sinceMs: number;
};

/** One to begin with, one to judge by. */
const SAMPLES_MIN = 2;

export function whatIf(options: WhatIfOptions, output: Output): Promise<number> {
  return withWorld(options, output, async ({ plans, world, grid, tickBudgetMs }) => {
    const sinceMs = plans.nowMs() - options.sinceMs;
    const samples = await plans.recordedLoads(sinceMs);
    const [from, until] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0];
    if (samples.length < SAMPLES_MIN) {
      output.json({ world, samples: samples.length, policies: [] });
      output.print(
        `${count(samples.length, 'sample')} of the load in this time: nothing to plan again; ` +
          'an authority records one in ten seconds',
      );
      return 1;
    }
    const journal = await plans.journal(`${Math.floor(sinceMs)}-0`, ENTRIES_MAX);
    const plan = await plans.plan();
    const settings = tickBudgetMs > 0 ? { tickBudgetMs } : {};
    const replayed = options.policies.map((policy) => {
      const { plan: _, ...figures } = replay({ grid, samples, policy, settings });
      return figures;
    });
    const figures = [inForce({ samples, journal, plan, cells: grid.cells }), ...replayed];
    const facts = { samples: samples.length, fromMs: from, untilMs: until };
    output.json({ world, ...facts, policies: figures });
    output.print(`${count(samples.length, 'sample')} from ${timeOf(from)} to ${timeOf(until)}`);
    output.print(figureLines(figures, output.colors).join('\n'));
    return 0;
  });
}

const TITLES = ['policy', 'imbalance', 'p95', 'max', 'border', 'cells moved/min', 'decisions'];

export function figureLines(figures: readonly Figures[], { bold, dim }: Colors): string[] {
  const rows = figures.map(({ policy, imbalance, borderLength, ...rest }) => [
    policy,
    ...[imbalance.mean, imbalance.p95, imbalance.max].map((ratio) => ratio.toFixed(2)),
    borderLength.toFixed(0),
    rest.cellsMovedPerMinute.toFixed(1),
    String(rest.decisions),
  ]);
  const [title = '', first = '', ...others] = textTable([TITLES, ...rows], new Set([0]));
  return [dim(title), bold(first), ...others];
}
