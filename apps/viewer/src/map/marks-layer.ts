/** Rings round the selected and the hovered entity, and ids beside those on the screen. */
import { BitmapText, Container, Graphics } from 'pixi.js';
import type { MapColours } from '../theme.ts';
import type { Frame, Layer } from './layer.ts';

/** More could not be read. */
const IDS_MAX = 80;
const IDS_EVERY_MS = 250;

export class MarksLayer implements Layer {
  readonly container = new Container({ eventMode: 'none' });
  /** Ids of the marked entities; 0 = none. */
  selected = 0;
  hovered = 0;
  showsIds = false;
  readonly #selectedRing = new Graphics();
  readonly #hoveredRing = new Graphics();
  readonly #labels: BitmapText[] = [];
  readonly #labelSlots = new Int32Array(IDS_MAX).fill(-1);
  #chosenAtMs = Number.NEGATIVE_INFINITY;
  #ink = 0xffffff;

  constructor() {
    this.container.addChild(this.#hoveredRing, this.#selectedRing);
  }

  recolour({ mark, ink, sea }: MapColours): void {
    this.#ink = ink;
    ring(this.#selectedRing, 14, 2.5, mark, sea);
    ring(this.#hoveredRing, 11, 1.5, mark, sea);
    for (const label of this.#labels) label.style.fill = ink;
  }

  draw(frame: Frame): void {
    const { count, ids } = frame.positions;
    let selected = -1;
    let hovered = -1;
    for (let slot = 0; slot < count; slot++) {
      if (ids[slot] === 0) continue;
      if (ids[slot] === this.selected) selected = slot;
      if (ids[slot] === this.hovered) hovered = slot;
    }
    place(this.#selectedRing, selected, frame);
    place(this.#hoveredRing, hovered === selected ? -1 : hovered, frame);
    this.#drawIds(frame);
  }

  #drawIds(frame: Frame): void {
    const slots = this.#labelSlots;
    if (!this.showsIds) slots.fill(-1);
    else if (frame.nowMs - this.#chosenAtMs > IDS_EVERY_MS) this.#choose(frame);
    for (let i = 0; i < this.#labels.length; i++) place(this.#labels[i]!, slots[i]!, frame, 9);
  }

  /** The first that are on the screen and not hidden by another's id. */
  #choose(frame: Frame): void {
    const { positions, screen, widthPx, heightPx } = frame;
    this.#chosenAtMs = frame.nowMs;
    this.#labelSlots.fill(-1);
    const taken = new Set<number>();
    let chosen = 0;
    for (let slot = 0; slot < positions.count && chosen < IDS_MAX; slot++) {
      if (positions.ids[slot] === 0) continue;
      const x = positions.x[slot]! * screen.scale + screen.left;
      const y = screen.top - positions.y[slot]! * screen.scale;
      if (x < 0 || y < 0 || x > widthPx || y > heightPx) continue;
      const spot = Math.floor(x / 130) * 10_000 + Math.floor(y / 18);
      if (taken.has(spot)) continue;
      taken.add(spot);
      this.#labelSlots[chosen] = slot;
      const label = this.#label(chosen++);
      label.text = String(positions.ids[slot]);
    }
  }

  #label(i: number): BitmapText {
    const known = this.#labels[i];
    if (known !== undefined) return known;
    const style = { fontFamily: 'ui-monospace, monospace', fontSize: 11, fill: this.#ink };
    const label = new BitmapText({ text: '', style });
    this.#labels.push(label);
    this.container.addChild(label);
    return label;
  }
}

function ring(
  graphics: Graphics,
  radius: number,
  width: number,
  color: number,
  under: number,
): void {
  graphics.clear();
  graphics.circle(0, 0, radius).stroke({ color: under, alpha: 0.7, width: width + 3 });
  graphics.circle(0, 0, radius).stroke({ color, width });
}

/** Puts a mark where the entity of a slot is; hides it for slot −1. */
function place(
  mark: Container,
  slot: number,
  { positions, screen, fromPx, toPx }: Frame,
  asidePx: number = 0,
): void {
  const xPx = slot < 0 ? Number.NaN : positions.x[slot]! * screen.scale + screen.left;
  const isThere = slot >= 0 && slot < positions.count && positions.ids[slot] !== 0;
  mark.visible = isThere && xPx >= fromPx && xPx < toPx;
  if (!mark.visible) return;
  mark.position.set(xPx + asidePx, screen.top - positions.y[slot]! * screen.scale - asidePx * 0.7);
}
