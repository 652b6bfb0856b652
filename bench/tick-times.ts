/**
 * Loaded into a pod before its program: says how long each of its ticks took, a line each second. The
 * figures that pods report are of the last thousand ticks, so they cannot tell one half minute from the next.
 */
import { Quantiles } from '@leasehold/pod/quantiles';

const SAY_MS = 1_000;

const { add } = Quantiles.prototype;
/** A pod ticks before it commits, so the first that is measured is a tick. */
let ticks: Quantiles | undefined;
let times: number[] = [];

Quantiles.prototype.add = function (value: number): void {
  ticks ??= this;
  if (ticks === this) times.push(value);
  add.call(this, value);
};

setInterval(() => {
  if (times.length > 0) process.stdout.write(`${JSON.stringify({ tickTimes: times })}\n`);
  times = [];
}, SAY_MS).unref();
