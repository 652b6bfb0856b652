/**
 * Who eats whom. Who is hungry asks, by an event, who is to be eaten; that one decides, in its own
 * cell, and answers. So a sheep feeds one wolf, and a wolf is fed by who is gone, whatever cells they
 * stand in, whoever simulates these and whatever dies meanwhile.
 *
 * Who dies has been answered all it asked and has paid for all its young, and leaves its ledger with
 * a tuft: what the ledgers of a world say together stays true when those are gone whom it is about.
 *
 * What `emit` refuses has no effect and no answer; only a cell that sends thousands of events in a tick
 * is refused any, and these have hundreds of animals.
 */
import { system, Undelivered } from '@leasehold/sdk';
import {
  Barren,
  Bitten,
  Buried,
  Energy,
  Fed,
  FOREVER,
  Grass,
  Grazed,
  Ledger,
  Life,
  Sheep,
  Spent,
  Sward,
  Wolf,
} from './components.ts';

/**
 * Who is dying answers for so long: whoever asks has seen it as it was a tick or two before, and what
 * it asks may take two ticks.
 */
const LINGER_TICKS = 6;
/** So many ticks go by until an animal looks for food again. */
const MEAL_TICKS = 3;

/** A tuft that is grown feeds one sheep, and grows again. */
export const regrow = system({
  name: 'regrow',
  params: { regrowthS: 30, grassWorth: 60 },
  on: { grazed: Grazed },
  writes: { sward: Sward, ledger: Ledger },
  emits: [Fed],
  each({ sward, ledger }, { tick, dtS, from, emit, params }) {
    const isGrown = tick >= sward.grownAt;
    if (from === 0 || !emit(from, Fed({ n: isGrown ? params.grassWorth : 0 }))) return;
    if (!isGrown) return;
    ledger.given += 1;
    sward.grownAt = tick + Math.round(params.regrowthS / dtS);
  },
});

/** A sheep feeds the first wolf that bites it. */
export const fall = system({
  name: 'fall',
  after: ['regrow'],
  params: { sheepWorth: 80 },
  on: { bitten: Bitten },
  writes: { energy: Energy, ledger: Ledger },
  emits: [Fed],
  each({ energy, ledger }, { tick, from, emit, params }) {
    const isCaught = energy.endsAt === 0;
    if (from === 0 || !emit(from, Fed({ n: isCaught ? params.sheepWorth : 0 }))) return;
    if (!isCaught) return;
    ledger.given += 1;
    energy.endsAt = tick + LINGER_TICKS;
  },
});

/** What was asked for is answered. */
export const eat = system({
  name: 'eat',
  after: ['fall'],
  on: { fed: Fed },
  writes: { energy: Energy, ledger: Ledger },
  each({ energy, ledger, fed }) {
    energy.n += fed.n;
    if (fed.n > 0) ledger.fed += 1;
    else ledger.missed += 1;
  },
});

/** Nobody was there to be asked. */
export const forgo = system({
  name: 'forgo',
  after: ['eat'],
  on: { lost: Undelivered },
  writes: { ledger: Ledger },
  each({ ledger, lost }) {
    if (lost.event === 'bitten' || lost.event === 'grazed') ledger.back += 1;
  },
});

/** Young were born; a mother that is dying pays, too. */
export const pay = system({
  name: 'pay',
  after: ['forgo'],
  on: { spent: Spent },
  writes: { energy: Energy, ledger: Ledger },
  each({ energy, ledger, spent }) {
    energy.n -= spent.n;
    energy.borne += 1;
    ledger.births += 1;
  },
});

export const close = system({
  name: 'close',
  on: { barren: Barren },
  writes: { life: Life },
  each({ life }) {
    life.isBarren = true;
  },
});

/** The dead stay in the ledger of a tuft, which never dies. */
export const keep = system({
  name: 'keep',
  after: ['pay'],
  with: [Grass],
  on: { buried: Buried },
  writes: { ledger: Ledger },
  each({ ledger, buried }) {
    ledger.asked += buried.asked;
    ledger.fed += buried.fed;
    ledger.missed += buried.missed;
    ledger.back += buried.back;
    ledger.given += buried.given;
    ledger.births += buried.births;
    ledger.deaths += buried.deaths + 1;
  },
});

type Asking = { readonly asked: number; fed: number; missed: number; back: number };
const isOpen = ({ asked, fed, missed, back }: Asking): boolean => asked > fed + missed + back;

/** Sheep ask the nearest tuft that is grown. */
export const graze = system({
  name: 'graze',
  after: ['keep'],
  params: { sheepFull: 120, reach: 3, untilTick: FOREVER },
  with: [Sheep],
  reads: { energy: Energy },
  writes: { ledger: Ledger },
  neighbours: { radius: ({ reach }) => reach, reads: { sward: Sward } },
  emits: [Grazed],
  each({ energy, ledger }, { id, tick, neighbours, emit, params }) {
    if ((id + tick) % MEAL_TICKS !== 0 || energy.endsAt !== 0) return;
    if (energy.n >= params.sheepFull || isOpen(ledger) || tick >= params.untilTick) return;
    let tuft = 0;
    let near = Number.POSITIVE_INFINITY;
    for (const { id: other, distance, sward } of neighbours) {
      if (sward.grownAt > tick || distance >= near) continue;
      near = distance;
      tuft = other;
    }
    if (tuft !== 0 && emit(tuft, Grazed())) ledger.asked += 1;
  },
});

/** Wolves bite the nearest sheep that lives. */
export const bite = system({
  name: 'bite',
  after: ['graze'],
  params: { wolfFull: 200, bite: 1, untilTick: FOREVER },
  with: [Wolf],
  reads: { energy: Energy },
  writes: { ledger: Ledger },
  neighbours: { radius: (params) => params.bite, reads: { prey: Energy, sheep: Sheep } },
  emits: [Bitten],
  each({ energy, ledger }, { id, tick, neighbours, emit, params }) {
    if ((id + tick) % MEAL_TICKS !== 0 || energy.endsAt !== 0) return;
    if (energy.n >= params.wolfFull || isOpen(ledger) || tick >= params.untilTick) return;
    let sheep = 0;
    let near = Number.POSITIVE_INFINITY;
    for (const { id: other, distance, prey } of neighbours) {
      if (prey.endsAt !== 0 || distance >= near) continue;
      near = distance;
      sheep = other;
    }
    if (sheep !== 0 && emit(sheep, Bitten())) ledger.asked += 1;
  },
});

/**
 * Living costs, once a second, and who has nothing left starves. What it costs follows from the time
 * that went by: a cell that is too slow leaves ticks out, and lives of these are no longer for that.
 */
export const burn = system({
  name: 'burn',
  after: ['pay', 'close'],
  before: ['graze'],
  params: { sheepHungerPerS: 4, wolfHungerPerS: 8, untilTick: FOREVER },
  writes: { energy: Energy, life: Life },
  optional: { wolf: Wolf },
  each({ energy, life, wolf }, { id, tick, dtS, params }) {
    if ((id + tick) % Math.ceil(1 / dtS) !== 0 || energy.endsAt !== 0) return;
    if (tick >= params.untilTick) return;
    const perS = wolf === undefined ? params.sheepHungerPerS : params.wolfHungerPerS;
    energy.n -= Math.round(perS * (tick - life.burntAt) * dtS);
    life.burntAt = tick;
    if (energy.n <= 0) energy.endsAt = tick + LINGER_TICKS;
  },
});

/** Whoever has nothing more to hear of anybody leaves its ledger with the nearest tuft, and goes. */
export const die = system({
  name: 'die',
  after: ['bite', 'close'],
  params: { reach: 3 },
  reads: { energy: Energy },
  writes: { ledger: Ledger, life: Life },
  neighbours: { radius: ({ reach }) => reach, reads: { sward: Sward } },
  emits: [Buried],
  each({ energy, ledger, life }, { tick, neighbours, emit, despawn }) {
    if (energy.endsAt === 0 || tick < energy.endsAt) return;
    if (life.isBuried || !life.isBarren || isOpen(ledger)) return;
    let tuft = 0;
    let near = Number.POSITIVE_INFINITY;
    for (const { id, distance } of neighbours) {
      if (distance >= near) continue;
      near = distance;
      tuft = id;
    }
    const { asked, fed, missed, back, given, births } = ledger;
    const left = Buried({ asked, fed, missed, back, given, births });
    // Where no tuft is in reach it walks on until one is.
    if (tuft === 0 || !emit(tuft, left)) return;
    ledger.asked = ledger.fed = ledger.missed = ledger.back = ledger.given = ledger.births = 0;
    life.isBuried = true;
    despawn();
  },
});
