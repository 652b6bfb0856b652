/** What a policy is told to aim at. Every number here is one that an operator may want to change. */
export type PlanSettings = {
  /** What a tick may take: 1000 / rate. A pod may have a budget of its own. */
  readonly tickBudgetMs: number;
  /** The part of the budget that is to stay free, so that a region can be inherited. */
  readonly spare: number;
  /** Something is done about a pod whose load is this many times the mean. */
  readonly imbalanceMax: number;
  /** What a change must gain, in means; less is not worth a handover. */
  readonly gainMin: number;
  /** Nor is it when the pod is less than this above the mean: it would follow noise. */
  readonly excessMinMs: number;
  /** How long loads are looked at after a change before the next one that is not urgent. */
  readonly settleMs: number;
  /** What following a cell of another pod costs when somebody is in it, and each entity there. */
  readonly borderCellMs: number;
  readonly borderEntityMs: number;
  /** How far the time of a hot cell may be dilated before it is called overloaded. */
  readonly dilationMax: number;
  /** How long one step of relief is given to work before the next. */
  readonly reliefMs: number;
  /** Fewer pods are wanted when fewer would have done for so long without a break. */
  readonly fallMs: number;
};

export const PLAN_SETTINGS: PlanSettings = {
  tickBudgetMs: 50,
  spare: 0.25,
  imbalanceMax: 1.15,
  gainMin: 0.05,
  excessMinMs: 0.05,
  settleMs: 2_000,
  borderCellMs: 0.003,
  borderEntityMs: 0.0001,
  dilationMax: 4,
  reliefMs: 3_000,
  fallMs: 60_000,
};

/** With the usual value for whatever is not given or is no number above 0. */
export function planSettings(given: Partial<PlanSettings> | undefined): PlanSettings {
  const settings: { -readonly [name in keyof PlanSettings]: number } = { ...PLAN_SETTINGS };
  for (const name of Object.keys(PLAN_SETTINGS) as (keyof PlanSettings)[]) {
    const value = given?.[name];
    const isUsable = value !== undefined && (value > 0 || (value === 0 && name !== 'tickBudgetMs'));
    if (isUsable) settings[name] = value;
  }
  return settings;
}
