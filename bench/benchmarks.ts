/** All benchmarks, in the order in which they run and stand in the table. */
import { abm } from './abm.bench.ts';
import { cold } from './cold.bench.ts';
import { commit } from './commit.bench.ts';
import type { Benchmark } from './figure.ts';
import { follow } from './follow.bench.ts';
import { memory } from './memory.bench.ts';
import { parade } from './parade.bench.ts';
import { plan } from './plan.bench.ts';
import { scale } from './scale.bench.ts';
import { snapshot } from './snapshot.bench.ts';
import { snapshotLive } from './snapshot-live.bench.ts';
import { takeover } from './takeover.bench.ts';
import { tick } from './tick.bench.ts';
import { traffic } from './traffic.bench.ts';
import { views } from './views.bench.ts';

export const BENCHMARKS: readonly Benchmark[] = [
  commit,
  tick,
  abm,
  follow,
  takeover,
  scale,
  plan,
  parade,
  views,
  memory,
  traffic,
  snapshot,
  snapshotLive,
  cold,
];
