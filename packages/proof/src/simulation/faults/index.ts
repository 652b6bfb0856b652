/** Every family of faults there is. A run has some of them. */
import type { Family } from '../fault.ts';
import { crash, drain } from './crash.ts';
import { delay, reorder } from './delay.ts';
import { duplicate } from './duplicate.ts';
import { loss } from './loss.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { skew } from './skew.ts';
import { refusal, rollback, stall } from './store.ts';
import { gatewayCrash, readers } from './views.ts';

/** The order is part of what a seed means. */
export const FAMILIES: readonly Family[] = [
  ...[delay, reorder, loss, duplicate, crash, drain],
  ...[partition, pause, skew, rollback, stall, refusal, gatewayCrash, readers],
];
