/**
 * The part of the map that shows a snapshot, left of the divider: its entities, in a colour that
 * nobody alive has, on a tinted ground. Right of it, if there is room, is now.
 */
import type { Area, Fault, Subscription, View } from '@leasehold/client';
import { Container, Graphics } from 'pixi.js';
import type { MapColours } from '../theme.ts';
import { EntitiesLayer } from './entities-layer.ts';
import { type Frame, NOBODY } from './layer.ts';
import { MarksLayer } from './marks-layer.ts';

const TINT_ALPHA = 0.13;
const LINE_PX = 2;

export type PastParts = {
  readonly view: View;
  readonly cellSize: number;
  readonly components: readonly string[];
  /** The snapshot cannot be shown. */
  readonly refused: (fault: Fault) => void;
};

export class PastSide {
  readonly entities: EntitiesLayer;
  readonly marks = new MarksLayer();
  readonly ground = new Container({ eventMode: 'none' });
  /** Of the map's width, from the left; 0 = now alone is shown. */
  share = 0;
  subscription: Subscription | undefined;
  readonly #parts: PastParts;
  readonly #tint = new Graphics();
  readonly #line = new Graphics();
  #asOf = '';
  #frame: Frame | undefined;

  constructor(parts: PastParts) {
    this.#parts = parts;
    this.entities = new EntitiesLayer(parts.cellSize);
    this.ground.addChild(this.#tint, this.#line);
  }

  get isWhole(): boolean {
    return this.share >= 1;
  }

  get frame(): Frame | undefined {
    return this.#frame;
  }

  /** '' for none. */
  show(asOf: string, area: Area): void {
    if (asOf === this.#asOf) return;
    this.#asOf = asOf;
    this.subscription?.close();
    this.subscription = undefined;
    if (asOf === '') return;
    const { view, components, refused } = this.#parts;
    this.subscription = view.subscribe({ area, components, asOf });
    this.subscription.on('error', refused);
  }

  recolour(colours: MapColours): void {
    const { past } = colours;
    this.entities.recolour({ ...colours, mover: past, still: past, stillAlpha: 1 });
    this.marks.recolour(colours);
    // One pixel, scaled to what is shown.
    this.#tint.clear().rect(0, 0, 1, 1).fill({ color: past, alpha: TINT_ALPHA });
    this.#line.clear().rect(0, 0, 1, 1).fill({ color: past });
  }

  /** `now`: the frame of the living side, whose part of the screen ends where this one begins. */
  draw(now: Frame, marked: Pick<MarksLayer, 'selected' | 'hovered' | 'showsIds'>): void {
    const edgePx = this.share * now.widthPx;
    now.fromPx = this.share === 0 ? Number.NEGATIVE_INFINITY : edgePx;
    const positions = this.subscription?.positions(now.nowMs) ?? NOBODY;
    const frame: Frame = { ...now, positions, fromPx: Number.NEGATIVE_INFINITY, toPx: edgePx };
    this.#frame = frame;
    this.ground.visible = this.share > 0;
    this.#tint.scale.set(edgePx, now.heightPx);
    this.#line.visible = !this.isWhole;
    this.#line.position.set(edgePx - LINE_PX / 2, 0);
    this.#line.scale.set(LINE_PX, now.heightPx);
    const { selected, hovered, showsIds } = marked;
    Object.assign(this.marks, { selected, hovered, showsIds });
    this.entities.draw(frame);
    this.marks.draw(frame);
  }
}
