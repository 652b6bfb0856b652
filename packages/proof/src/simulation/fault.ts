/** What a family of faults is: settings drawn for one run, and what it then does to calls and processes. */
import type { Random } from '@leasehold/kernel';
import type { Fleet } from './fleet.ts';
import type { Gateways } from './gateways.ts';
import type { Host } from './host.ts';
import type { Trace } from './trace.ts';
import type { Viewers } from './viewers.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { CallFault } from './wire.ts';
import type { SimWorld } from './world.ts';

export type Settings = Readonly<Record<string, number | string | boolean>>;

/** All that a fault can reach. */
export type Rig = {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly world: SimWorld;
  /** The machine of the store: its clock. */
  readonly storeHost: Host;
  readonly ways: Ways;
  readonly fleet: Fleet;
  readonly gateways: Gateways;
  readonly viewers: Viewers;
  /** When what cannot be undone will be over. */
  calmAtMs: number;
};

/** The ways between processes and the store: true while closed. */
export type Ways = Map<Host, { request: boolean; reply: boolean; readonly sinceMs: number }>;

/** A family that is part of a run. */
export type Armed = {
  /** Decides on a call before it is sent. */
  readonly onCall?: CallFault;
  /** Makes one thing happen now. */
  readonly strike?: () => void;
  /** Faults stop: what it did is undone, as far as it can be. */
  readonly heal?: () => void;
};

export type Family = {
  readonly name: string;
  /** The share of runs that have it. */
  readonly odds: number;
  /** Draws the settings of a run. */
  readonly open: (random: Random) => {
    readonly settings: Settings;
    readonly arm: (rig: Rig, random: Random) => Armed;
  };
};

/** Keeps the settings of a family typed for the family alone. */
export function family<S extends Settings>(of: {
  readonly name: string;
  readonly odds: number;
  readonly draw: (random: Random) => S;
  readonly arm: (rig: Rig, settings: S, random: Random) => Armed;
}): Family {
  return {
    name: of.name,
    odds: of.odds,
    open: (random) => {
      const settings = of.draw(random);
      return { settings, arm: (rig, own) => of.arm(rig, settings, own) };
    },
  };
}

/** From `low` to `high`, every order of magnitude as likely; three digits, to be read by people. */
export function spread(random: Random, low: number, high: number): number {
  const value = low * (high / low) ** random.float();
  return Number(value.toPrecision(3));
}

export function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[random.below(from.length)];
}
