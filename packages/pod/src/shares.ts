/**
 * Who should hold each cell, as one pod sees it. The plan says so, where there is one and whom it
 * names is here: first the pod of a region, then its standby. All else is shared by the pods that
 * are here, block by block, so a world without a plan, or whose plan is of yesterday, is held as
 * well. Being wrong costs a handover; leases alone decide who may write.
 */
import type { Plan, Region } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { assignBlocks, inheritedBlocks } from './assignment.ts';

/** What is known of others. */
export type Company = {
  /** Pods that share what no plan gives to anybody, this one included; sorted. */
  readonly members: readonly string[];
  /** Pods that have a place in the plan and are here, be it only since a moment ago. */
  isHere(pod: string): boolean;
};

export class Shares {
  readonly #grid: Grid;
  readonly #self: string;
  /** The region of each cell in `#plan.regions`; −1: asleep, nobody is to hold it. */
  #regionOf = new Int32Array(0);
  /** Cells that slept before, and that this pod has not had since. */
  readonly #woken = new Set<number>();
  #plan: Plan | undefined;
  #company: Company = { members: [], isHere: () => false };
  #key = '';
  #blockOwners: readonly string[] = [];
  /** Blocks without a plan that fall to this pod when one of the others dies. */
  #fallingBlocks: ReadonlySet<number> | undefined;
  #own: readonly number[] = [];
  #inherited: readonly number[] = [];
  #watched: readonly number[] = [];

  constructor(grid: Grid, self: string) {
    this.#grid = grid;
    this.#self = self;
  }

  /** Cells that this pod should hold. */
  get own(): readonly number[] {
    return this.#own;
  }

  /** Cells that fall to this pod when the pod that should hold them dies; it may follow them. */
  get inherited(): readonly number[] {
    return this.#inherited;
  }

  /** Cells that nobody is to hold, whose inboxes this pod looks into. */
  get watched(): readonly number[] {
    return this.#watched;
  }

  /** Takes in what has changed; whether anything has. */
  update(plan: Plan | undefined, company: Company): boolean {
    const named = new Set<string>();
    for (const { pod, standby } of plan?.regions ?? []) named.add(pod).add(standby);
    const here = [...named].filter((pod) => company.isHere(pod)).sort();
    const key = `${company.members.join(' ')} | ${here.join(' ')}`;
    if (key === this.#key && plan === this.#plan) return false;
    this.#key = key;
    this.#company = company;
    if (plan !== this.#plan || this.#regionOf.length === 0) this.#lay(plan);
    this.#plan = plan;
    this.#blockOwners = assignBlocks(this.#grid.blocks, company.members);
    this.#share();
    return true;
  }

  /** '' = nobody. */
  ownerOf(cell: number): string {
    return this.#holderOf(cell, '', this.#blockOwners);
  }

  /** Nobody is to hold it, as nothing happens in it. */
  isAsleep(cell: number): boolean {
    return this.#regionOf[cell] === -1;
  }

  /** Takes note that this pod has a cell now; whether nobody was to hold it until then. */
  wakes(cell: number): boolean {
    return this.#woken.delete(cell) || this.isAsleep(cell);
  }

  /** The plan says who holds it, be it nobody, and whom it names is here. */
  isPlanned(cell: number): boolean {
    return this.isAsleep(cell) || this.regionOf(cell) !== undefined;
  }

  /** Whose region says what is to be done with a cell; whom it names is here. */
  regionOf(cell: number): Region | undefined {
    const region = this.#plan?.regions[this.#regionOf[cell] as number];
    if (region === undefined) return undefined;
    const isFollowed = this.#company.isHere(region.pod) || this.#company.isHere(region.standby);
    return isFollowed ? region : undefined;
  }

  /** Who should hold each cell when this pod is gone; `heirs` are those who are left. */
  heirs(heirs: readonly string[]): (cell: number) => string {
    const owners = assignBlocks(this.#grid.blocks, heirs);
    return (cell) => this.#holderOf(cell, this.#self, owners);
  }

  /** Who should hold a cell when `gone` is not there. */
  #holderOf(cell: number, gone: string, blockOwners: readonly string[]): string {
    const index = this.#regionOf[cell] as number;
    if (index === -1) return '';
    const region = this.#plan?.regions[index];
    if (region !== undefined) {
      const { pod, standby } = region;
      if (pod !== gone && this.#company.isHere(pod)) return pod;
      if (standby !== gone && this.#company.isHere(standby)) return standby;
    }
    return blockOwners[this.#grid.blockOf(cell)] ?? '';
  }

  #lay(plan: Plan | undefined): void {
    const { columns, rows, cells } = this.#grid;
    const before = this.#regionOf;
    this.#regionOf = new Int32Array(cells);
    if (plan === undefined) return;
    for (const [index, { rect }] of plan.regions.entries()) {
      const right = Math.min(columns, rect.column + rect.columns);
      const top = Math.min(rows, rect.row + rect.rows);
      for (let row = rect.row; row < top; row++) {
        this.#regionOf.fill(index, row * columns + rect.column, row * columns + right);
      }
    }
    for (const [first, count] of plan.asleep) this.#regionOf.fill(-1, first, first + count);
    for (const [cell, index] of before.entries()) {
      if (index === -1 && !this.isAsleep(cell)) this.#woken.add(cell);
    }
    for (const cell of this.#woken) if (this.isAsleep(cell)) this.#woken.delete(cell);
  }

  #share(): void {
    // What has just fallen to this pod is followed until it is held.
    const before = new Set(this.#inherited);
    const own: number[] = [];
    const inherited: number[] = [];
    const watched: number[] = [];
    this.#fallingBlocks = undefined;
    for (let cell = 0; cell < this.#grid.cells; cell++) {
      const owner = this.ownerOf(cell);
      const isWatched = owner === '' && this.#watches(cell);
      if (isWatched) watched.push(cell);
      else if (owner === this.#self) {
        own.push(cell);
        if (before.has(cell)) inherited.push(cell);
      } else if (owner !== '' && this.#inherits(cell, owner)) inherited.push(cell);
    }
    this.#own = own;
    this.#inherited = inherited;
    this.#watched = watched;
  }

  #watches(cell: number): boolean {
    return this.#blockOwners[this.#grid.blockOf(cell)] === this.#self;
  }

  #inherits(cell: number, owner: string): boolean {
    const region = this.#plan?.regions[this.#regionOf[cell] as number];
    // The standby of a region, or its pod while the standby has it.
    if (region !== undefined && (owner === region.pod || owner === region.standby)) {
      return (owner === region.pod ? region.standby : region.pod) === this.#self;
    }
    // Only now: where a plan covers all, nobody needs to know.
    this.#fallingBlocks ??= new Set(
      inheritedBlocks(this.#grid.blocks, this.#company.members, this.#self),
    );
    return this.#fallingBlocks.has(this.#grid.blockOf(cell));
  }
}
