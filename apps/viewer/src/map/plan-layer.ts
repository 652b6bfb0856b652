/**
 * The plan on the map: outlines of its regions, on each what it is, and a light on those that the
 * user points at in the panel. Drawn in pixels, and again only when something of it changed.
 */
import type { PlanRegion, PlanView } from '@leasehold/client';
import { BitmapText, Container, Graphics } from 'pixi.js';
import type { PodColours } from '../palette.ts';
import { loadText, reliefText } from '../plan-words.ts';
import type { MapColours } from '../theme.ts';
import type { Grid } from './camera.ts';
import type { Frame, Layer } from './layer.ts';
import { type Box, boxOf, isWithin, textPlace, visible } from './plan-boxes.ts';

/** PERF: so many rectangles a frame while the camera moves; a plan of more shows its first ones. */
const OUTLINES_MAX = 1_000;
/** More could not be read. */
const LABELS_MAX = 80;
const FONT = { fontFamily: 'ui-monospace, monospace', fontSize: 11 } as const;
const PAD_PX = 3;

export class PlanLayer implements Layer {
  readonly outlines = new Container({ eventMode: 'none' });
  readonly texts = new Container({ eventMode: 'none' });
  readonly #grid: Grid;
  readonly #colours: PodColours;
  readonly #lines = new Graphics();
  readonly #lights = new Graphics();
  readonly #plates = new Graphics();
  readonly #labels: BitmapText[] = [];
  /** Of the labels that are shown: whose they are, and where. */
  readonly #places: { readonly region: PlanRegion; readonly box: Box }[] = [];
  #regions: readonly PlanRegion[] = [];
  #tickHz = 1;
  #lit: ReadonlySet<number> = new Set();
  #look: MapColours | undefined;
  /** What of the frame it was drawn for. */
  #drawn = '';

  constructor(grid: Grid, colours: PodColours) {
    this.#grid = grid;
    this.#colours = colours;
    this.outlines.addChild(this.#lights, this.#lines);
    this.texts.addChild(this.#plates);
  }

  show(plan: PlanView | undefined, tickHz: number): void {
    this.#regions = plan?.regions ?? [];
    this.#tickHz = tickHz;
    this.refresh();
  }

  light(regions: readonly number[]): void {
    this.#lit = new Set(regions);
    this.refresh();
  }

  /** Pods may have other colours now. */
  refresh(): void {
    this.#drawn = '';
  }

  recolour(colours: MapColours): void {
    this.#look = colours;
    this.refresh();
  }

  /** The region whose label is at a pixel. */
  regionAt(xPx: number, yPx: number): PlanRegion | undefined {
    if (!this.texts.visible) return undefined;
    return this.#places.find(({ box }) => isWithin(box, xPx, yPx))?.region;
  }

  draw({ screen, widthPx, heightPx }: Frame): void {
    const { scale, left, top } = screen;
    const seen = `${scale} ${left} ${top} ${widthPx} ${heightPx}`;
    if (seen === this.#drawn || this.#look === undefined || !this.texts.visible) return;
    this.#drawn = seen;
    const size = { width: widthPx, height: heightPx };
    const shown: Shown[] = this.#regions.slice(0, OUTLINES_MAX).flatMap((region) => {
      const box = boxOf(region.rect, this.#grid, screen);
      const part = visible(box, size);
      return part === undefined ? [] : [{ region, box, part }];
    });
    this.#drawLines(shown, this.#look);
    this.#drawLabels(shown, this.#look);
  }

  #drawLines(shown: readonly Shown[], { sea, mark, hatch }: MapColours): void {
    const lines = this.#lines.clear();
    const lights = this.#lights.clear();
    // Two lines beside each other: one of them can be seen on whatever is below.
    for (const { box } of shown) outline(lines, box, 1.5);
    if (shown.length > 0) lines.stroke({ color: sea, alpha: 0.85, width: 4 });
    const byPod = Map.groupBy(shown, ({ region }) => region.pod);
    for (const [pod, of] of byPod) {
      for (const { box } of of) outline(lines, box, 1.5);
      lines.stroke({ color: pod === '' ? hatch : this.#colours.of(pod), width: 2 });
    }
    const lit = shown.filter(({ region }) => this.#lit.has(region.id));
    if (lit.length === 0) return;
    for (const { part } of lit) {
      lights.rect(part.left, part.top, part.right - part.left, part.bottom - part.top);
    }
    lights.fill({ color: mark, alpha: 0.28 });
    for (const { box } of lit) outline(lines, box, 3);
    lines.stroke({ color: mark, width: 4 });
  }

  /** Those that are lit first, then the largest. */
  #drawLabels(shown: readonly Shown[], { sea, ink }: MapColours): void {
    const plates = this.#plates.clear();
    this.#places.length = 0;
    const rank = ({ region, part }: Shown): number =>
      (this.#lit.has(region.id) ? 1e9 : 0) + (part.right - part.left) * (part.bottom - part.top);
    const sorted = [...shown].sort((a, b) => rank(b) - rank(a)).slice(0, LABELS_MAX);
    for (const { region, part } of sorted) {
      const label = this.#label(this.#places.length);
      label.style.fill = ink;
      const place = this.#write(label, region, part);
      if (place === undefined) continue;
      label.position.set(place.left + PAD_PX, place.top + PAD_PX);
      plates.roundRect(
        place.left,
        place.top,
        place.right - place.left,
        place.bottom - place.top,
        4,
      );
      this.#places.push({ region, box: place });
    }
    if (this.#places.length > 0) plates.fill({ color: sea, alpha: 0.82 });
    for (const [i, label] of this.#labels.entries()) label.visible = i < this.#places.length;
  }

  /** Gives the label the longest text that fits, and answers where; undefined = none fits. */
  #write(label: BitmapText, region: PlanRegion, part: Box): Box | undefined {
    for (const text of this.#textsOf(region)) {
      label.text = text;
      const width = label.width + 2 * PAD_PX;
      const height = label.height + 2 * PAD_PX;
      const at = textPlace(part, { width, height });
      if (at !== undefined) {
        return { left: at.x, top: at.y, right: at.x + width, bottom: at.y + height };
      }
    }
    return undefined;
  }

  /** What may be written on a region, the most telling first. */
  #textsOf(region: PlanRegion): string[] {
    const { id, pod } = region;
    const load = loadText(region, this.#tickHz);
    const relief = reliefText(region);
    const whole = [`region ${id} · ${pod || 'nobody'}`, load, relief].filter((line) => line !== '');
    return [whole.join('\n'), `${id}\n${load}`, String(id)];
  }

  #label(i: number): BitmapText {
    const known = this.#labels[i];
    if (known !== undefined) return known;
    const label = new BitmapText({ text: '', style: { ...FONT } });
    this.#labels.push(label);
    this.texts.addChild(label);
    return label;
  }
}

type Shown = { readonly region: PlanRegion; readonly box: Box; readonly part: Box };

/** A rectangle so far within the box. */
function outline(graphics: Graphics, { left, top, right, bottom }: Box, inset: number): void {
  graphics.rect(
    left + inset,
    top + inset,
    Math.max(1, right - left - 2 * inset),
    Math.max(1, bottom - top - 2 * inset),
  );
}
