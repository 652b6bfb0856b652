/** What wolves, sheep and tufts of grass are made of, and what they say to each other. */
import { bool, component, event, f32, i32, u32 } from '@leasehold/sdk';

/** From `untilTick` on nobody eats, burns or is born, so that everything can be counted at rest. */
export const FOREVER = 4_000_000_000;

// Layer motion: where everybody is, and of what species.

const place = { spatial: ['x', 'y'], steps: { x: 0.02, y: 0.02 } } as const;
export const Position = component('position', 1, { x: f32, y: f32 }, place);
/** Where an animal goes: a vector of length 1. */
export const Heading = component('heading', 1, { x: f32(1), y: f32 });
export const Wolf = component('wolf', 1, {});
export const Sheep = component('sheep', 1, {});
export const Grass = component('grass', 1, {});

// Layer metabolism: who eats whom, and who dies of it.

/**
 * Of animals. `borne`: for how many young it has paid. `endsAt`: 0 while it lives; who is caught or
 * starves asks nothing any more, and is gone soon after this tick.
 */
export const Energy = component('energy', 1, { n: i32, borne: u32, endsAt: u32 });
/** Of tufts: grown from this tick on. It changes when it is grazed, not in every tick. */
export const Sward = component('sward', 1, { grownAt: u32 });
/**
 * Up to which tick an animal has paid for living, and how far it is with dying: it bears nobody any
 * more; its ledger is with the tuft.
 */
export const Life = component('life', 1, { burntAt: u32, isBarren: bool, isBuried: bool });

const counts = {
  /** Meals that it asked for, and what became of them: `back` are those that found nobody. */
  asked: u32,
  fed: u32,
  missed: u32,
  back: u32,
  /** Meals that it was. */
  given: u32,
  births: u32,
  /** Of others: they left their ledgers here. */
  deaths: u32,
};
/** What everybody did, so that somebody outside can count that it happened once. */
export const Ledger = component('ledger', 1, counts);

// Layer reproduction.

/** How many young it bore. `isClosed`: it has said that there will be no more. */
export const Litter = component('litter', 1, { borne: u32, isClosed: bool });

/** From a wolf to a sheep, and from a sheep to a tuft. Each is answered with `Fed`. */
export const Bitten = event('bitten', 1, {});
export const Grazed = event('grazed', 1, {});
/** `n`: what the meal is worth; 0: somebody else had it. */
export const Fed = event('fed', 1, { n: i32 });
/** From who is dying to the nearest tuft: its ledger. */
export const Buried = event('buried', 1, counts);
/** From an animal in reproduction to itself in metabolism: for a child; and after the last one. */
export const Spent = event('spent', 1, { n: i32 });
export const Barren = event('barren', 1, {});
