/**
 * One ordinary client of a world: what it looks at, what befalls it, and whether it sees the truth
 * in the end. It knows nothing but what gateways tell it.
 */
import {
  connect,
  type Fault,
  type SubscribeOptions,
  type Subscription,
  type View,
} from '@leasehold/client';
import type { Random } from '@leasehold/kernel';
import type { FieldValue, LayerSchema } from '@leasehold/protocol';
import { AreaShape, type AreaSpec, type Grid } from '@leasehold/spatial';
import type { Being, Components } from './truth.ts';

/** After it said that cells, or all of them, are told anew, for this long what it shows may jump. */
const RESYNC_MS = 1_000;
/** Radii are in metres on WGS 84. */
const METRES_PER_DEGREE = 111_195;
const SAID_MAX = 20;

/** What client number `n` looks at: the whole world, then areas of every kind, then again. */
export function lookOf(n: number, grid: Grid, random: Random): SubscribeOptions {
  const size = Math.min(grid.width, grid.height);
  const at = (): { x: number; y: number } => ({
    x: grid.originX + grid.width * random.between(0.2, 0.8),
    y: grid.originY + grid.height * random.between(0.2, 0.8),
  });
  const radius = (size / 6) * (grid.spec.kind === 'wgs84' ? METRES_PER_DEGREE : 1);
  switch (n % 5) {
    case 0:
      return { area: { kind: 'world' } };
    case 1: {
      const { x, y } = at();
      const half = size / 6;
      const box = { minX: x - half, minY: y - half, maxX: x + half, maxY: y + half };
      return { area: { kind: 'box', ...inside(box, grid) } };
    }
    case 2:
      return { area: { kind: 'circle', ...at(), radius } };
    case 3:
      return { area: { kind: 'world' }, rateHz: 5 };
    default: {
      const { x, y } = at();
      const far = size / 7;
      const points: [number, number][] = [
        [x - far, y - far],
        [x + far, y - far / 2],
        [x, y + far],
      ];
      return { area: { kind: 'polygon', points } };
    }
  }
}

type Box = {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
};

function inside({ minX, minY, maxX, maxY }: Box, grid: Grid): Box {
  const { originX, originY, width, height } = grid;
  return {
    minX: Math.max(minX, originX),
    minY: Math.max(minY, originY),
    maxX: Math.min(maxX, originX + width),
    maxY: Math.min(maxY, originY + height),
  };
}

export class Watcher {
  readonly view: View;
  readonly subscription: Subscription;
  readonly look: SubscribeOptions;
  /** How often cells were told anew, and said to be. */
  resyncs = 0;
  /** Sentences about what must not be: a cell that went back and did not say so. */
  readonly wrongs: string[] = [];
  readonly faults: string[] = [];
  /** Who left a view of everybody, and the cell's tick then. */
  readonly #left = new Map<number, number>();
  readonly #tickOfCell = new Map<number, number>();
  #resyncedAtMs = Number.NEGATIVE_INFINITY;
  /** Its gateway is gone, and another one has not told everything yet. */
  #isReconnecting = false;

  constructor(look: SubscribeOptions, urls: readonly string[]) {
    this.look = look;
    this.view = connect({ url: urls });
    this.subscription = this.view.subscribe(look);
    const { view, subscription } = this;
    subscription.on('resync', (cells) => {
      this.resyncs++;
      this.#resyncedAtMs = performance.now();
      for (const cell of cells) this.#tickOfCell.delete(cell);
    });
    subscription.on('leave', (ids) => {
      for (const id of ids) if (this.#isSteady) this.#left.set(id, subscription.tick);
    });
    view.on('close', () => {
      this.#isReconnecting = true;
    });
    subscription.on('live', () => {
      this.#tickOfCell.clear();
      this.#isReconnecting = false;
      this.#resyncedAtMs = performance.now();
    });
    subscription.on('update', () => this.#watchTicks());
    const blame = ({ code, message }: Fault): void => {
      // What it tries again by itself is no fault: gateways are killed here.
      if (code !== 'GATEWAY_UNREACHABLE') this.faults.push(`${code}: ${message}`);
    };
    view.on('error', blame);
    subscription.on('error', blame);
  }

  /** Whether only death takes somebody out of its view. */
  get #seesEverybody(): boolean {
    return this.look.area.kind === 'world' && this.look.with === undefined;
  }

  get #isSteady(): boolean {
    return !this.#isReconnecting && performance.now() - this.#resyncedAtMs > RESYNC_MS;
  }

  // V1: a view is right or says that it is told anew; so no cell goes back in silence.
  #watchTicks(): void {
    if (!this.subscription.isLive || !this.#isSteady) return;
    for (const { cell, tick } of this.subscription.cells()) {
      const before = this.#tickOfCell.get(cell) ?? tick;
      if (tick < before && this.wrongs.length < SAID_MAX) {
        this.wrongs.push(`cell ${cell} went back from tick ${before} to ${tick} in silence`);
      }
      this.#tickOfCell.set(cell, tick);
    }
  }

  /** Who vanished from a view of everybody though alive: they must have blinked. */
  vanished(truth: ReadonlyMap<number, Being>): string[] {
    if (!this.#seesEverybody) return [];
    return [...this.#left]
      .filter(([id]) => truth.has(id))
      .map(([id, tick]) => `entity ${id} vanished at tick ${tick} and is alive`);
  }

  /** What it sees otherwise than it is, a sentence each; empty when it sees the truth. */
  errors(truth: ReadonlyMap<number, Being>, schema: LayerSchema, grid: Grid): string[] {
    const { subscription } = this;
    const expected = this.#expected(truth, schema, grid);
    const errors: string[] = subscription.isLive ? [] : ['it is not live'];
    for (const id of subscription.ids()) {
      if (!expected.has(id)) errors.push(`entity ${id} is not there`);
    }
    for (const [id, being] of expected) {
      const seen = subscription.get(id);
      if (seen === undefined) errors.push(`entity ${id} in cell ${being.cell} is missing`);
      else if (seen.cell !== being.cell)
        errors.push(`entity ${id} is in cell ${being.cell}, not ${seen.cell}`);
      else errors.push(...differences(id, being.components, seen.components, schema));
    }
    return errors;
  }

  #expected(
    truth: ReadonlyMap<number, Being>,
    schema: LayerSchema,
    grid: Grid,
  ): ReadonlyMap<number, Being> {
    const { area } = this.look;
    if (area.kind === 'world') return truth;
    const shape = new AreaShape(grid, area as AreaSpec);
    const cells = new Set(shape.cells);
    const place = schema.components.find(({ spatial }) => spatial !== undefined);
    const [xField = '', yField = ''] = place?.spatial ?? [];
    const isInside = ({ cell, components }: Being): boolean => {
      const position = components[place?.name ?? ''];
      if (position === undefined || !cells.has(cell)) return false;
      return shape.contains(Number(position[xField]), Number(position[yField]));
    };
    return new Map([...truth].filter(([, being]) => isInside(being)));
  }
}

/** Values in fixed point may differ by half a step, all others not at all. */
function differences(id: number, is: Components, seen: Components, schema: LayerSchema): string[] {
  const names = (of: Components): string => Object.keys(of).sort().join();
  if (names(is) !== names(seen)) return [`entity ${id} has ${names(is)}, not ${names(seen)}`];
  const found: string[] = [];
  for (const { name, fields } of schema.components) {
    const values = is[name];
    if (values === undefined) continue;
    for (const { name: field, step } of fields) {
      const [value, shown] = [values[field], seen[name]?.[field]];
      if (isSame(value, shown, step)) continue;
      found.push(`entity ${id} ${name}.${field} is ${String(value)}, not ${String(shown)}`);
    }
  }
  return found;
}

function isSame(
  value: FieldValue | undefined,
  shown: FieldValue | undefined,
  step: number | undefined,
): boolean {
  if (step === undefined) {
    return Object.is(value, shown) || JSON.stringify(value) === JSON.stringify(shown);
  }
  // A little for the arithmetic of the conversion.
  return Math.abs(Number(value) - Number(shown)) <= step / 2 + 1e-9;
}
