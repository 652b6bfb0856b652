/**
 * Where entities are drawn: feeds the rows of a subscription to the motion of its slots, at the
 * tick that is shown. Costs nothing until somebody asks for positions.
 */
import type { ViewShape, Welcome } from '@leasehold/protocol/view';
import { Motion } from './motion.ts';
import type { RenderClock } from './render-clock.ts';
import type { Held, Roster } from './roster.ts';
import type { Positions, SubscribeOptions } from './types.ts';

const NOBODY: Positions = Object.freeze({
  count: 0,
  ids: new Float64Array(0),
  x: new Float64Array(0),
  y: new Float64Array(0),
  heading: new Float32Array(0),
  version: 0,
  tick: Number.NaN,
});

/** Where positions are in the rows: indices in the shape. */
type Place = { readonly component: number; readonly x: number; readonly y: number };

export class Stage {
  readonly #clock: RenderClock;
  readonly #delayTicks: number;
  readonly #rateHz: number;
  #welcome: Welcome | undefined;
  #shape: ViewShape | undefined;
  #place: Place | undefined;
  #motion: Motion | undefined;
  #version = 0;
  #jumps = 0;
  #now = Number.NaN;

  constructor(clock: RenderClock, delayTicks: number, { rateHz }: SubscribeOptions) {
    this.#clock = clock;
    this.#delayTicks = delayTicks;
    this.#rateHz = rateHz ?? Number.POSITIVE_INFINITY;
  }

  /** Another world, or the first: positions begin anew for whoever is there. */
  set(welcome: Welcome, shape: ViewShape, roster: Roster): void {
    const hadMotion = this.#motion !== undefined;
    this.#version = (this.#motion?.version ?? this.#version) + 1;
    this.#motion = undefined;
    this.#welcome = welcome;
    this.#shape = shape;
    this.#place = placeOf(welcome, shape);
    if (hadMotion) this.#begin(roster);
  }

  #begin(roster: Roster): void {
    if (this.#welcome === undefined || this.#place === undefined) return;
    const motion = new Motion(this.#welcome.grid, this.#version);
    this.#motion = motion;
    roster.eachSlot((slot, id) => motion.assign(slot, id));
    for (const held of roster.cells.values()) this.#sampleRows(held, motion);
  }

  assign(slot: number, id: number): void {
    this.#motion?.assign(slot, id);
  }

  /** A cell has a new tick. PERF: all its rows, since who is unmoved must be known to be. */
  sample(held: Held, arrivalMs: number): void {
    const motion = this.#motion;
    if (motion === undefined) return;
    this.#advance(arrivalMs, motion);
    this.#sampleRows(held, motion);
  }

  #sampleRows({ rows, slots }: Held, motion: Motion): void {
    const place = this.#place;
    if (rows.shape !== this.#shape) return;
    const x = place && (rows.columns[place.component]?.[place.x] as Float64Array | undefined);
    const y = place && (rows.columns[place.component]?.[place.y] as Float64Array | undefined);
    if (place === undefined || x === undefined || y === undefined) return;
    const bit = 1 << place.component;
    const { count, tick, masks } = rows;
    const now = this.#now;
    for (let row = 0; row < count; row++) {
      const slot = slots[row] as number;
      if (slot < 0) continue;
      if (((masks[row] as number) & bit) === 0) motion.hide(slot);
      else motion.sample(slot, x[row] as number, y[row] as number, tick, now);
    }
  }

  /** Brings the tick that is shown to a moment. */
  #advance(nowMs: number, motion: Motion): number {
    const clock = this.#clock;
    const ticks = clock.at(nowMs);
    const interval = Math.max(1, 1000 / clock.tickMs / this.#rateHz);
    const shown = ticks - this.#delayTicks * interval;
    const now = clock.isHeld ? Math.min(shown, clock.newest) : shown;
    motion.setTickMs(clock.tickMs);
    if (clock.jumps !== this.#jumps) motion.rebase(this.#now, now);
    this.#jumps = clock.jumps;
    this.#now = now;
    return now;
  }

  positions(nowMs: number, roster: Roster): Positions {
    if (this.#motion === undefined) this.#begin(roster);
    const motion = this.#motion;
    return motion === undefined ? NOBODY : motion.at(this.#advance(nowMs, motion));
  }
}

function placeOf(welcome: Welcome, shape: ViewShape): Place | undefined {
  const { spatial } = welcome;
  if (spatial === null) return undefined;
  const component = shape.components.findIndex(({ name }) => name === spatial.component);
  const fields = shape.components[component]?.fields ?? [];
  const x = fields.findIndex(({ name }) => name === spatial.x);
  const y = fields.findIndex(({ name }) => name === spatial.y);
  return x < 0 || y < 0 || component < 0 ? undefined : { component, x, y };
}
