/** Whether a plan may be followed at all: it covers the grid once, and names pods that live. */
import type { Plan, Rect } from '@leasehold/protocol';
import type { PlanGrid, PlanPod } from './policy.ts';
import { rectName } from './rects.ts';

export type PlanFault = {
  /** The region at fault; 0 where it is the plan as a whole. */
  readonly region: number;
  readonly field: 'rect' | 'pod' | 'standby' | 'id' | 'regions' | 'asleep';
  readonly value: string;
  readonly message: string;
  readonly remedy: string;
};

/** More than these say nothing that the first ones do not. */
export const PLAN_FAULTS_MAX = 20;

/**
 * What is wrong with a plan, at most `PLAN_FAULTS_MAX` faults; none = it may be followed. Without
 * `pods` the names of pods are not looked at.
 */
export function validatePlan(
  plan: Pick<Plan, 'regions' | 'asleep'>,
  grid: PlanGrid,
  pods?: readonly PlanPod[],
): PlanFault[] {
  const faults = [...shapeFaults(plan, grid), ...asleepFaults(plan, grid)];
  if (pods !== undefined) faults.push(...podFaults(plan, pods));
  return faults.slice(0, PLAN_FAULTS_MAX);
}

function shapeFaults(plan: Pick<Plan, 'regions'>, grid: PlanGrid): PlanFault[] {
  const faults: PlanFault[] = [];
  // By cell, the region that has it; 0 = none, which is no id.
  const owners = new Float64Array(grid.columns * grid.rows);
  const seen = new Set<number>();
  for (const { id, rect } of plan.regions) {
    if (!Number.isSafeInteger(id) || id < 1 || seen.has(id)) {
      const message = seen.has(id) ? 'two regions have this id' : 'this is no id of a region';
      faults.push(
        fault(id, 'id', String(id), message, 'Give each region a whole number of its own.'),
      );
    }
    seen.add(id);
    if (!fits(rect, grid)) {
      const message = `the grid has ${grid.columns} × ${grid.rows} cells`;
      faults.push(fault(id, 'rect', rectName(rect), message, 'Plan again for the grid as it is.'));
      continue;
    }
    const other = claim(owners, rect, id, grid);
    if (other !== undefined) {
      const message = `region ${other} has cells of it`;
      faults.push(fault(id, 'rect', rectName(rect), message, 'Give each cell to one region.'));
    }
  }
  let missing = 0;
  for (const owner of owners) if (owner === 0) missing++;
  if (missing > 0 && faults.length === 0) {
    const message = 'cells are in no region';
    faults.push(fault(0, 'regions', `${missing} cells`, message, 'Give each cell to a region.'));
  }
  return faults;
}

function fits({ column, row, columns, rows }: Rect, grid: PlanGrid): boolean {
  const isWhole = [column, row, columns, rows].every(Number.isInteger);
  const isInside = column >= 0 && row >= 0 && column + columns <= grid.columns;
  return isWhole && isInside && columns >= 1 && rows >= 1 && row + rows <= grid.rows;
}

/** Takes the cells of a rectangle; the first region that had one of them before. */
function claim(owners: Float64Array, rect: Rect, id: number, grid: PlanGrid) {
  let other: number | undefined;
  for (let row = rect.row; row < rect.row + rect.rows; row++) {
    const from = row * grid.columns + rect.column;
    for (let cell = from; cell < from + rect.columns; cell++) {
      if (owners[cell] !== 0) other ??= owners[cell];
      owners[cell] = id;
    }
  }
  return other;
}

function podFaults(plan: Pick<Plan, 'regions'>, pods: readonly PlanPod[]): PlanFault[] {
  const known = new Set(pods.map(({ pod }) => pod));
  return plan.regions.flatMap(({ id, pod, standby }) => {
    const faults: PlanFault[] = [];
    const remedy = 'Plan again with the pods that live.';
    if (pod !== '' && !known.has(pod)) {
      faults.push(fault(id, 'pod', pod, 'there is no such pod', remedy));
    }
    if (standby !== '' && !known.has(standby)) {
      faults.push(fault(id, 'standby', standby, 'there is no such pod', remedy));
    }
    if (standby !== '' && standby === pod) {
      const message = 'a pod cannot take over from itself';
      faults.push(fault(id, 'standby', standby, message, 'Name another pod, or none.'));
    }
    return faults;
  });
}

function asleepFaults({ asleep }: Pick<Plan, 'asleep'>, grid: PlanGrid): PlanFault[] {
  const cells = grid.columns * grid.rows;
  let end = 0;
  for (const [first, count] of asleep) {
    const isRun = Number.isInteger(first) && Number.isInteger(count) && count >= 1;
    if (!isRun || first < end || first + count > cells) {
      const message = 'runs are to be ascending, apart and inside the grid';
      const value = `[${first}, ${count}]`;
      return [fault(0, 'asleep', value, message, 'Name each sleeping cell once.')];
    }
    end = first + count;
  }
  return [];
}

function fault(
  region: number,
  field: PlanFault['field'],
  value: string,
  message: string,
  remedy: string,
): PlanFault {
  return { region, field, value, message, remedy };
}
