/**
 * A crowd that walks through a world of which most is empty: pods that follow it by plan, beside the
 * same pods on a static grid, at a rate that is just too much for the grid: it asks for a quarter more
 * and more until the grid falls behind, then for less until it is known to two percent where that
 * begins. What counts is what is missed: ticks of cells in which somebody is that began after the
 * next was due, or never. Counted from 20 s after the start, when the crowd has left the border that
 * it starts on.
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
const FULL = { fromHz: 5, halvings: 4, warmMs: 20_000, measuredMs: 30_000 };
const QUICK = { fromHz: 4, halvings: 0, warmMs: 1_000, measuredMs: 1_000 };
const FASTER = 1.25;
const HZ_MAX = 60;
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
    const look = async (policy: string, rateHz: number): Promise<number> => {
      const percent = await measure(policy, rateHz, extent);
      say(`${rateHz} Hz, ${policy}: ${percent.toFixed(2)} % of the ticks missed`);
      missed.push({ rateHz, policy, percent });
      return percent;
    };
    const isTooFast = async (rateHz: number): Promise<boolean> =>
      (await look(staticGrid.name, rateHz)) >= MISSED_BY_STATIC;
    if (isQuick) {
      for (const policy of [staticGrid.name, regionsByLoad.name]) await look(policy, extent.fromHz);
      return figuresOf(missed, extent.fromHz, isQuick);
    }
    const rateHz = await slowestThat(isTooFast, extent);
    await look(regionsByLoad.name, rateHz);
    return figuresOf(missed, rateHz, isQuick);
  },
};

/** The lowest rate, to two percent, that is too fast: by steps of a quarter, then by halves of one. */
async function slowestThat(
  isTooFast: (rateHz: number) => Promise<boolean>,
  { fromHz, halvings }: Extent,
): Promise<number> {
  let tooFastHz = fromHz;
  while (!(await isTooFast(tooFastHz))) {
    tooFastHz = rounded(tooFastHz * FASTER);
    if (tooFastHz > HZ_MAX) throw new Error(`a static grid keeps up even at ${HZ_MAX} Hz`);
  }
  let factor = FASTER;
  for (let i = 0; i < halvings; i++) {
    factor = Math.sqrt(factor);
    const slowerHz = rounded(tooFastHz / factor);
    if (await isTooFast(slowerHz)) tooFastHz = slowerHz;
  }
  return tooFastHz;
}

const rounded = (hz: number): number => Math.round(hz * 10) / 10;

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

function figuresOf(missed: readonly Missed[], atHz: number, isQuick: boolean): Figure[] {
  const of = (name: string): number =>
    missed.find(({ rateHz, policy }) => rateHz === atHz && policy === name)?.percent ?? Number.NaN;
  const ours = of(regionsByLoad.name);
  return [
    { name: 'a rate that a static grid cannot keep', value: atHz, unit: 'Hz' },
    { name: 'static grid: ticks missed', value: of(staticGrid.name), unit: '%' },
    {
      ...{ name: 'planned by load: ticks missed', value: ours, unit: '%' },
      ...(isQuick ? {} : { target: `≤ ${MISSED_BY_OURS}`, isMet: ours <= MISSED_BY_OURS }),
    },
  ];
}
