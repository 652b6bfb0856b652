/**
 * The three models as loops over typed arrays: what the same rules cost without an engine. They
 * draw from the same kind of dice and keep nothing but the state itself.
 */
import type { Random } from '@leasehold/kernel';

/** A started model: `step` runs one step of it, `outcome` is what runs are compared by. */
export type Run = { step(): void; outcome(): number };

function shuffled(order: Int32Array, count: number, random: Random): void {
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
}

const ascending = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

export type FlockingSize = {
  readonly extent: number;
  readonly birds: number;
  readonly sight: number;
};

/** The outcome is the order of the flock: 1 when all head the same way. */
export function flocking({ extent, birds, sight }: FlockingSize, random: Random): Run {
  const x = Float64Array.from({ length: birds }, () => random.between(0, extent));
  const y = Float64Array.from({ length: birds }, () => random.between(0, extent));
  const angle = Float64Array.from({ length: birds }, () => random.between(0, 2 * Math.PI));
  const vx = angle.map(Math.cos);
  const vy = angle.map(Math.sin);
  const order = ascending(birds);
  const half = extent / 2;
  const act = (i: number): void => {
    let [towardsX, towardsY, count] = [0, 0, 0];
    for (let other = 0; other < birds; other++) {
      let dx = (x[other] as number) - (x[i] as number);
      let dy = (y[other] as number) - (y[i] as number);
      if (dx > half) dx -= extent;
      else if (dx < -half) dx += extent;
      if (dy > half) dy -= extent;
      else if (dy < -half) dy += extent;
      const square = dx * dx + dy * dy;
      if (square > sight * sight || other === i) continue;
      count++;
      const towards = square < 1 ? 0.03 - 0.015 : 0.03;
      towardsX += dx * towards + (vx[other] as number) * 0.05;
      towardsY += dy * towards + (vy[other] as number) * 0.05;
    }
    const share = 1 / Math.max(count, 1);
    const toX = ((vx[i] as number) + towardsX * share) / 2;
    const toY = ((vy[i] as number) + towardsY * share) / 2;
    const length = Math.sqrt(toX * toX + toY * toY);
    vx[i] = toX / length;
    vy[i] = toY / length;
    x[i] = ((x[i] as number) + (vx[i] as number) + extent) % extent;
    y[i] = ((y[i] as number) + (vy[i] as number) + extent) % extent;
  };
  return {
    step(): void {
      shuffled(order, birds, random);
      for (let n = 0; n < birds; n++) act(order[n] as number);
    },
    outcome: () => Math.hypot(sum(vx), sum(vy)) / birds,
  };
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

export type WolfSheepSize = Readonly<
  Record<'extent' | 'sheep' | 'wolves' | 'regrowth' | 'sheepBirths' | 'wolfBirths', number>
>;

/** Animals of one kind, and who is in which square: lists through `next`. */
class Herd {
  readonly square: Int32Array;
  readonly energy: Float64Array;
  readonly isAlive: Uint8Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
  readonly head: Int32Array;
  readonly order: Int32Array;
  count = 0;

  constructor(squares: number, room: number) {
    this.square = new Int32Array(room);
    this.energy = new Float64Array(room);
    this.isAlive = new Uint8Array(room);
    this.next = new Int32Array(room);
    this.previous = new Int32Array(room);
    this.head = new Int32Array(squares).fill(-1);
    this.order = new Int32Array(room);
  }

  bear(square: number, energy: number): void {
    const i = this.count++;
    this.energy[i] = energy;
    this.isAlive[i] = 1;
    this.enter(i, square);
  }

  enter(i: number, square: number): void {
    const first = this.head[square] as number;
    this.square[i] = square;
    this.next[i] = first;
    this.previous[i] = -1;
    if (first !== -1) this.previous[first] = i;
    this.head[square] = i;
  }

  leave(i: number): void {
    const next = this.next[i] as number;
    const previous = this.previous[i] as number;
    if (previous === -1) this.head[this.square[i] as number] = next;
    else this.next[previous] = next;
    if (next !== -1) this.previous[next] = previous;
  }

  end(i: number): void {
    this.leave(i);
    this.isAlive[i] = 0;
  }

  /** Forgets the dead; all lists are laid anew. */
  compact(): void {
    this.head.fill(-1);
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.isAlive[i] === 0) continue;
      this.energy[kept] = this.energy[i] as number;
      this.isAlive[kept] = 1;
      this.enter(kept, this.square[i] as number);
      kept++;
    }
    this.count = kept;
  }

  shuffle(random: Random): number {
    for (let i = 0; i < this.count; i++) this.order[i] = i;
    shuffled(this.order, this.count, random);
    return this.count;
  }
}

const ROOM = 200_000;

/**
 * The outcome is how many sheep live. A step begins with the wolves, as in the world of the sdk.
 */
export function wolfSheep(size: WolfSheepSize, random: Random): Run {
  const { extent, regrowth, sheepBirths, wolfBirths } = size;
  const squares = extent * extent;
  const grass = Int16Array.from({ length: squares }, () =>
    random.chance(0.5) ? -1 : random.below(regrowth),
  );
  const sheep = new Herd(squares, ROOM);
  const wolves = new Herd(squares, ROOM);
  for (let i = 0; i < size.sheep; i++) sheep.bear(random.below(squares), random.between(1, 10));
  for (let i = 0; i < size.wolves; i++) wolves.bear(random.below(squares), random.between(1, 26));
  const walk = (herd: Herd, i: number): number => {
    const to = random.below(8);
    const way = to < 4 ? to : to + 1;
    const at = herd.square[i] as number;
    const x = ((at % extent) + (way % 3) - 1 + extent) % extent;
    const y = (Math.floor(at / extent) + Math.floor(way / 3) - 1 + extent) % extent;
    herd.leave(i);
    herd.enter(i, y * extent + x);
    return y * extent + x;
  };
  /** Ends who has too little, or lets it bear. */
  const live = (herd: Herd, i: number, least: number, births: number): void => {
    if ((herd.energy[i] as number) < least) herd.end(i);
    else if (random.chance(births)) {
      (herd.energy[i] as number) /= 2;
      herd.bear(herd.square[i] as number, herd.energy[i] as number);
    }
  };
  return {
    step(): void {
      let count = wolves.shuffle(random);
      for (let n = 0; n < count; n++) {
        const i = wolves.order[n] as number;
        const prey = sheep.head[walk(wolves, i)] as number;
        (wolves.energy[i] as number)--;
        if (prey !== -1) {
          sheep.end(prey);
          (wolves.energy[i] as number) += 13;
        }
        live(wolves, i, 0, wolfBirths);
      }
      for (let at = 0; at < squares; at++) if ((grass[at] as number) >= 0) (grass[at] as number)--;
      count = sheep.shuffle(random);
      for (let n = 0; n < count; n++) {
        const i = sheep.order[n] as number;
        if (sheep.isAlive[i] === 0) continue;
        const at = walk(sheep, i);
        (sheep.energy[i] as number)--;
        if (grass[at] === -1) {
          grass[at] = regrowth;
          (sheep.energy[i] as number) += 5;
        }
        live(sheep, i, 1, sheepBirths);
      }
      sheep.compact();
      wolves.compact();
    },
    outcome: () => sheep.count,
  };
}

export type SchellingSize = Readonly<Record<'extent' | 'agents' | 'reach' | 'wanted', number>>;

/** The outcome is the share of the happy. */
export function schelling({ extent, agents, reach, wanted }: SchellingSize, random: Random): Run {
  const squares = ascending(extent * extent);
  shuffled(squares, squares.length, random);
  const at = squares.slice(0, agents);
  const group = new Uint8Array(extent * extent);
  for (let i = 0; i < agents; i++) group[at[i] as number] = i < agents / 2 ? 1 : 2;
  const isHappy = new Uint8Array(agents);
  const order = ascending(agents);
  const act = (i: number): void => {
    const here = at[i] as number;
    const own = group[here] as number;
    const x = here % extent;
    const y = Math.floor(here / extent);
    let alike = -1;
    const [right, high] = [Math.min(extent - 1, x + reach), Math.min(extent - 1, y + reach)];
    for (let row = Math.max(0, y - reach); row <= high; row++) {
      for (let column = Math.max(0, x - reach); column <= right; column++) {
        if (group[row * extent + column] === own) alike++;
      }
    }
    isHappy[i] = alike >= wanted ? 1 : 0;
    if (alike >= wanted) return;
    let to: number;
    do to = random.below(extent * extent);
    while (group[to] !== 0);
    group[here] = 0;
    group[to] = own;
    at[i] = to;
  };
  return {
    step(): void {
      shuffled(order, agents, random);
      for (let n = 0; n < agents; n++) act(order[n] as number);
    },
    outcome: () => isHappy.reduce((total, happy) => total + happy, 0) / agents,
  };
}
