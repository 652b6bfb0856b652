/**
 * A crowd that walks through a world of which most is empty: pods that follow it by plan, beside the
 * same pods on a static grid, at rates that ask for more and more until the grid falls behind. What
 * counts is what is missed: ticks of cells in which somebody is that began after the next was due, or
 * never. Counted from 20 s after the start, when the crowd has left the border that it starts on.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { regionsByLoad, staticGrid } from '@leasehold/plan';
import type { Benchmark, Figure } from './figure.ts';
import { openPods, type Pods } from './pods.ts';

const PARADE = fileURLToPath(new URL('../examples/parade/', import.meta.url));
const PODS = 2;
const FULL = { rates: [4, 5, 6, 7, 8], warmMs: 20_000, measuredMs: 30_000 };
const QUICK = { rates: [4], warmMs: 1_000, measuredMs: 1_000 };
const POLICIES = [staticGrid.name, regionsByLoad.name];
const MISSED_BY_STATIC = 5;
const MISSED_BY_OURS = 1;

type Extent = typeof FULL;
/** In percent of the ticks that were due. */
type Missed = { readonly rateHz: number; readonly policy: string; readonly percent: number };

export const parade: Benchmark = {
  tag: 'parade',
  what: `20,000 people in one crowd that crosses 64 × 64 cells on ${PODS} pods, planned and on a static grid`,
  async run(say, { isQuick }) {
    const extent = isQuick ? QUICK : FULL;
    const missed: Missed[] = [];
    for (const rateHz of extent.rates) {
      for (const policy of POLICIES) {
        const percent = await measure(policy, rateHz, extent);
        say(`${rateHz} Hz, ${policy}: ${percent.toFixed(2)} % of the ticks missed`);
        missed.push({ rateHz, policy, percent });
      }
      if (isBehind(missed)) break;
    }
    return figuresOf(missed, isQuick);
  },
};

async function measure(policy: string, rateHz: number, { warmMs, measuredMs }: Extent) {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-bench-'));
  await copyFile(join(PARADE, 'world.ts'), join(folder, 'world.ts'));
  const manifest = await readFile(join(PARADE, 'world.yaml'), 'utf8');
  await writeFile(
    join(folder, 'world.yaml'),
    manifest.replace(/^tickHz: .*$/m, `tickHz: ${rateHz}`),
  );
  const pods = await openPods(folder);
  try {
    for (let i = 0; i < PODS; i++) pods.start(PODS);
    await pods.plan(policy);
    await pods.untilHeld(true);
    await pods.run();
    await sleep(warmMs);
    const before = await ticksOf(pods);
    await sleep(measuredMs);
    const after = await ticksOf(pods);
    return (100 * (after.late - before.late)) / Math.max(1, after.due - before.due);
  } finally {
    await pods.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ticksOf(pods: Pods): Promise<{ readonly due: number; readonly late: number }> {
  const records = await pods.records();
  const sum = (name: string): number =>
    records.reduce((total, { report }) => total + (report[name] ?? 0), 0);
  return { due: sum('dueTicks'), late: sum('lateTicks') };
}

const isBehind = (missed: readonly Missed[]): boolean =>
  missed.some(({ policy, percent }) => policy === staticGrid.name && percent >= MISSED_BY_STATIC);

function figuresOf(missed: readonly Missed[], isQuick: boolean): Figure[] {
  const last = missed.at(-1)?.rateHz;
  const isAim = isBehind(missed) && !isQuick;
  return missed.map(({ rateHz, policy, percent }) => ({
    ...{ name: `${rateHz} Hz, ${policy}: ticks missed`, value: percent, unit: '%' },
    ...(isAim && rateHz === last && policy === regionsByLoad.name
      ? { target: `≤ ${MISSED_BY_OURS}`, isMet: percent <= MISSED_BY_OURS }
      : {}),
  }));
}
