/**
 * How many pods a world wants: the scale signal. Up as soon as the load asks for it for a moment,
 * down to the most that it has asked for in a long while, as the autoscaler of Kubernetes does
 * (`stabilizationWindowSeconds`). Whoever asks keeps the answer and hands it in the next time; it is
 * all the memory there is.
 */
import type { Loads } from './loads.ts';
import { type PlanSettings, planSettings } from './settings.ts';

export type WantedInput = {
  readonly loads: Loads;
  /** Pods that carry now: ready or cordoned. */
  readonly pods: number;
  readonly nowMs: number;
  readonly settings?: Partial<PlanSettings> | undefined;
  readonly min?: number;
  readonly max?: number;
  /** The answer before; without it the present number of pods is where it starts. */
  readonly last?: Wanted | undefined;
};

export type Wanted = {
  readonly pods: number;
  /** Tick time of all cells by the budgets of all pods that carry. */
  readonly utilization: number;
  /** What the load alone asks for, undamped. */
  readonly raw: number;
  /** For people. */
  readonly why: string;
  readonly atMs: number;
  /** For how long the load has asked for more without a break. */
  readonly aboveMs: number;
  /** For how long it has been looked at, on a clock that does not jump. */
  readonly watchedMs: number;
  /** The most that would have done, with room to spare, since each of these times. */
  readonly peaks: readonly Peak[];
};

/** `atMs`: on the clock of `watchedMs`. */
type Peak = { readonly atMs: number; readonly pods: number };

/** The load has to ask for more for so long, which is more than one garbage collection. */
const RISE_MS = 2_000;
/** Fewer pods must leave so much of the target free, or the next breath would ask for more again. */
const FALL_ROOM = 0.15;
/** Time between two questions counts at most so much: a clock that jumps asks for nothing. */
const STEP_MS_MAX = 10_000;

export function podsWanted(input: WantedInput): Wanted {
  const settings = planSettings(input.settings);
  const { last, nowMs } = input;
  const min = Math.max(1, input.min ?? 1);
  const max = Math.max(min, input.max ?? Infinity);
  const clamp = (pods: number): number => Math.min(max, Math.max(min, pods));
  const { fallMs } = settings;
  const targetMs = settings.tickBudgetMs * (1 - settings.spare);
  const { ms, hot, all } = demandOf(input.loads, targetMs);
  const carrying = Math.max(1, input.pods);
  const utilization = all / (carrying * settings.tickBudgetMs);
  const raw = clamp(Math.ceil(ms / targetMs - 1e-9));
  const wanted = last === undefined ? clamp(input.pods) : clamp(last.pods);
  const stepMs = last === undefined ? 0 : Math.min(STEP_MS_MAX, Math.max(0, nowMs - last.atMs));
  // What would still fit with room to spare is what may be gone down to.
  const low = clamp(Math.ceil(ms / (targetMs * (1 - FALL_ROOM)) - 1e-9));
  const aboveMs = raw > wanted ? (last?.aboveMs ?? 0) + stepMs : 0;
  const watchedMs = (last?.watchedMs ?? 0) + stepMs;
  const peaks = peaksWith({ atMs: watchedMs, pods: low }, last?.peaks ?? [], fallMs);
  const peak = peaks[0]?.pods ?? low;
  const state = { utilization, raw, atMs: nowMs, watchedMs, peaks };
  const load =
    `${all.toFixed(1)} ms of ticks` +
    (hot > 0 ? `, of which ${hot} cells are beyond a pod and count as one each` : '') +
    `; a pod is to carry ${targetMs.toFixed(1)} ms`;
  if (last !== undefined && raw > wanted && aboveMs >= RISE_MS) {
    const why = `Up from ${wanted} to ${raw}: ${load}.`;
    return { ...state, pods: raw, why, aboveMs: 0 };
  }
  if (watchedMs >= fallMs && peak < wanted) {
    const why = `Down from ${wanted} to ${peak}, the most in ${fallMs / 1_000} s: ${load}.`;
    return { ...state, pods: peak, why, aboveMs: 0 };
  }
  const why =
    aboveMs > 0 || raw > wanted
      ? `${wanted}, soon ${raw} if it lasts: ${load}.`
      : low < wanted
        ? `${wanted}, though ${low} would do: ${load}; waiting ${fallMs / 1_000} s before it falls.`
        : `${wanted}: ${load}.`;
  return { ...state, pods: wanted, why, aboveMs };
}

/**
 * Of each time only what no later one exceeds, the highest first: a window's highest without keeping
 * the window.
 */
function peaksWith(next: Peak, before: readonly Peak[], windowMs: number): Peak[] {
  const peaks = before.filter(({ pods }) => pods > next.pods);
  peaks.push(next);
  while (peaks.length > 1 && next.atMs - (peaks[0] as Peak).atMs >= windowMs) peaks.shift();
  return peaks;
}

/** More pods cannot help a cell that is beyond one: it counts as one pod's load. */
function demandOf(loads: Loads, targetMs: number): { ms: number; hot: number; all: number } {
  let ms = 0;
  let hot = 0;
  let all = 0;
  for (const tickMs of loads.tickMs) {
    all += tickMs;
    ms += Math.min(tickMs, targetMs);
    if (tickMs > targetMs) hot++;
  }
  return { ms, hot, all };
}
