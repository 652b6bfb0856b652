/** The twenty clients of the proof: what each looks at, what befalls it, whether it sees the truth. */
import {
  connect,
  type Fault,
  type SubscribeOptions,
  type Subscription,
  type View,
} from '@leasehold/client';
import type { FieldValue, LayerSchema } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape, type AreaSpec, type Grid } from '@leasehold/spatial';
import type { Being } from './proof-authority-fixture.ts';

const WORLD = { kind: 'world' } as const;
const box = (minX: number, minY: number, maxX: number, maxY: number): AreaSpec => ({
  ...{ kind: 'box', minX, minY, maxX, maxY },
});
const circle = (x: number, y: number, radius: number): AreaSpec => ({
  ...{ kind: 'circle', x, y, radius },
});
const around = (entity: number | undefined, radius: number): Area => ({
  ...{ kind: 'around', entity: entity ?? 0, radius },
});

/** On a torus of 200 by 200: edges on borders and between, through seams, thin ones and large. */
export const looks = (beacons: readonly number[]): readonly SubscribeOptions[] => [
  { area: WORLD },
  { area: WORLD, components: ['position'] },
  { area: WORLD, rateHz: 4 },
  { area: WORLD, components: ['heading', 'cargo'], rateHz: 10 },
  { area: WORLD, with: ['cargo'] },
  { area: WORLD, components: ['position', 'beacon'], with: ['beacon'] },
  { area: box(25, 50, 75, 125) },
  { area: box(30.5, 12.25, 99.75, 140) },
  { area: box(170, 160, 40, 35) },
  { area: box(0, 99, 199.99, 101), components: ['position'] },
  { area: box(60, 60, 160, 190), with: ['cargo'], rateHz: 5 },
  { area: circle(100, 100, 60) },
  { area: circle(3, 197, 40), components: ['cargo'] },
  { area: circle(62.5, 62.5, 8) },
  // biome-ignore format: a shape is read as a row of points.
  { area: { kind: 'polygon', points: [[20, 20], [110, 40], [90, 90], [130, 170], [40, 110]] } },
  // biome-ignore format: as above; this one reaches through the seam.
  { area: { kind: 'polygon', points: [[180, 80], [30, 90], [10, 130]] }, rateHz: 2 },
  { area: around(beacons[0], 30) },
  { area: around(beacons[1], 55), components: ['position', 'cargo'] },
  { area: around(beacons[2], 12), rateHz: 5 },
  { area: around(beacons[3], 20), with: ['cargo'] },
];

export class Watcher {
  readonly view: View;
  readonly subscription: Subscription;
  /** Who left, and the tick that the watcher was at then. */
  readonly left: { readonly id: number; readonly tick: number }[] = [];
  /** From the kill of its gateway to everything told by another, in ms. */
  readonly returns: number[] = [];
  readonly faults: string[] = [];
  readonly #look: SubscribeOptions;
  #killedAtMs: number | undefined;

  constructor(look: SubscribeOptions, urls: readonly string[]) {
    this.#look = look;
    this.view = connect({ url: urls });
    this.subscription = this.view.subscribe(look);
    const { view, subscription } = this;
    subscription.on('leave', (ids) => {
      for (const id of ids) this.left.push({ id, tick: subscription.tick });
    });
    subscription.on('live', () => {
      if (this.#killedAtMs !== undefined) this.returns.push(performance.now() - this.#killedAtMs);
      this.#killedAtMs = undefined;
    });
    const blame = ({ code, message }: Fault): void => {
      // What it tries again by itself takes as long as this machine needs to start a gateway.
      if (code !== 'GATEWAY_UNREACHABLE') this.faults.push(`${code}: ${message}`);
    };
    view.on('error', blame);
    subscription.on('error', blame);
  }

  /** Whether only death takes somebody out of its view. */
  get seesEverybody(): boolean {
    return this.#look.area.kind === 'world' && this.#look.with === undefined;
  }

  /** Its gateway was killed just now. */
  bereave(): void {
    this.#killedAtMs = performance.now();
  }

  get isBereft(): boolean {
    return this.#killedAtMs !== undefined;
  }

  /** What it sees otherwise than it is, a sentence each; empty when it sees the truth. */
  errors(truth: ReadonlyMap<number, Being>, schema: LayerSchema, grid: Grid): string[] {
    const { subscription } = this;
    const expected = this.#expected(truth, grid);
    const errors: string[] = subscription.isLive ? [] : ['it is not live'];
    for (const id of subscription.ids()) {
      if (!expected.has(id)) errors.push(`${id} is not there${truth.has(id) ? '' : ', it died'}`);
    }
    for (const [id, being] of expected) {
      const seen = subscription.get(id);
      if (seen === undefined) errors.push(`${id} in cell ${being.cell} is missing`);
      else if (seen.cell !== being.cell) errors.push(`${id} is in ${being.cell}, not ${seen.cell}`);
      else errors.push(...differences(id, this.#selected(being), seen.components, schema));
    }
    return errors;
  }

  #expected(truth: ReadonlyMap<number, Being>, grid: Grid): Map<number, Being> {
    const { with: having = [] } = this.#look;
    const shape = new AreaShape(grid, this.#areaNow(truth));
    const isInside = ({ cell, components: { position } }: Being): boolean =>
      shape.cells.includes(cell) &&
      shape.contains(Number(position?.['x']), Number(position?.['y']));
    return new Map(
      [...truth].filter(
        ([, being]) => isInside(being) && having.every((name) => name in being.components),
      ),
    );
  }

  #areaNow(truth: ReadonlyMap<number, Being>): AreaSpec {
    const { area } = this.subscription;
    if (area.kind !== 'around') return area;
    const position = truth.get(area.entity)?.components['position'];
    return circle(Number(position?.['x']), Number(position?.['y']), area.radius);
  }

  #selected({ components }: Being): Being['components'] {
    const names = this.#look.components ?? Object.keys(components);
    return Object.fromEntries(Object.entries(components).filter(([name]) => names.includes(name)));
  }
}

/** Values in fixed point may differ by half a step, all others not at all. */
function differences(
  id: number,
  is: Being['components'],
  seen: Being['components'],
  schema: LayerSchema,
): string[] {
  const names = (of: Being['components']): string => Object.keys(of).sort().join();
  if (names(is) !== names(seen)) return [`${id} has ${names(is)}, not ${names(seen)}`];
  const found: string[] = [];
  for (const { name, fields } of schema.components) {
    const values = is[name];
    if (values === undefined) continue;
    for (const { name: field, step } of fields) {
      const [value, shown] = [values[field], seen[name]?.[field]];
      if (!isSame(value, shown, step))
        found.push(`${id} ${name}.${field} is ${value}, not ${shown}`);
    }
  }
  return found;
}

function isSame(
  value: FieldValue | undefined,
  shown: FieldValue | undefined,
  step: number | undefined,
): boolean {
  if (step === undefined) return Object.is(value, shown);
  // A little for the arithmetic of the conversion.
  return Math.abs(Number(value) - Number(shown)) <= step / 2 + 1e-9;
}

/** Measures for how long cells with somebody in them stood still in a view of the whole world. */
export class Stillness {
  /** The longest since the last `take`, in ms. */
  #maxMs = 0;
  readonly #movedAtMs = new Map<number, { tick: number; atMs: number; count: number }>();

  constructor(subscription: Subscription) {
    subscription.on('update', () => {
      const atMs = performance.now();
      for (const { cell, tick, count } of subscription.cells()) {
        const last = this.#movedAtMs.get(cell);
        if (last?.tick === tick) continue;
        // Of a cell that nobody was in there was nothing to tell.
        if (last !== undefined && last.count > 0) {
          this.#maxMs = Math.max(this.#maxMs, atMs - last.atMs);
        }
        this.#movedAtMs.set(cell, { tick, atMs, count });
      }
    });
  }

  take(): number {
    const nowMs = performance.now();
    for (const { atMs, count } of this.#movedAtMs.values()) {
      // It may stand still yet.
      if (count > 0) this.#maxMs = Math.max(this.#maxMs, nowMs - atMs);
    }
    const ms = this.#maxMs;
    this.#maxMs = 0;
    return ms;
  }
}
