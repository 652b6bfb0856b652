/** The way an authority asks a policy: whatever the policy does, there is a plan that can be followed. */
import type { Plan } from '@leasehold/protocol';
import type { PlanInput, Planned, Policy } from './policy.ts';
import { staticGrid } from './static-grid.ts';
import { validatePlan } from './validate.ts';

export type MadePlan = Planned & {
  /** Why the policy's answer was not taken, for people; the plan is then the one before. */
  readonly refused?: string;
};

/**
 * The policy's plan if it can be followed. If the policy throws, or its plan is none, the previous
 * plan stays in force and `refused` says why; without a previous plan the grid is cut evenly.
 */
export function makePlan(policy: Policy, input: PlanInput): MadePlan {
  let refused: string;
  try {
    const made = policy.plan(input);
    if (made.plan === input.previous) return made;
    const fault = planFault(made.plan, input);
    if (fault === undefined) return made;
    refused = `Policy ${policy.name} made a plan that cannot be followed: ${fault}.`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    refused = `Policy ${policy.name} failed: ${why}. The plan stays as it is.`;
  }
  if (input.previous !== undefined) return { plan: input.previous, decisions: [], refused };
  return { ...staticGrid.plan(input), refused };
}

function planFault(plan: Plan, input: PlanInput): string | undefined {
  const [fault] = validatePlan(plan, input.grid, input.pods);
  if (fault !== undefined) {
    const { region, field, value, message, remedy } = fault;
    return `region ${region}, ${field} ${value}: ${message}. ${remedy}`;
  }
  const next = (input.previous?.version ?? 0) + 1;
  return plan.version === next ? undefined : `its version is ${plan.version} and not ${next}`;
}
