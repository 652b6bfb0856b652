/**
 * The numbers of pods, written in their regions: colour is never the only sign. The largest region
 * of a pod has a plate, others a small number where there is room.
 */
import type { Holders } from '@leasehold/client';
import { Container, Graphics, Text, type TextStyleOptions } from 'pixi.js';
import { inkOn, type PodColours, podSign } from '../palette.ts';
import type { Grid } from './camera.ts';
import type { Frame, Layer } from './layer.ts';
import { type LabelPlace, labelPlaces } from './regions.ts';

const HEIGHT_PX = 24;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** More numbers than this are a pattern, not a text. */
const BADGES_MAX = 300;
/** A small number wants a region about this wide. */
const ROOM_PX = 34;

type Badge = {
  readonly x: number;
  readonly y: number;
  /** Of a square with as many cells as the region, in units of the space. */
  readonly side: number;
  readonly isMain: boolean;
  readonly container: Container;
};

export class BadgesLayer implements Layer {
  readonly container = new Container({ eventMode: 'none' });
  readonly #grid: Grid;
  readonly #colours: PodColours;
  #badges: Badge[] = [];

  constructor(grid: Grid, colours: PodColours) {
    this.#grid = grid;
    this.#colours = colours;
  }

  show(holders: Holders): void {
    for (const child of this.container.removeChildren()) child.destroy({ children: true });
    const places = labelPlaces(holders.cells, this.#grid).slice(0, BADGES_MAX);
    this.#badges = places.flatMap((place) => this.#badge(place, holders));
  }

  #badge({ holder, column, row, size, isMain }: LabelPlace, holders: Holders): Badge[] {
    const { originX, originY, cellSize } = this.#grid;
    const pod = holders.pods[holder - 1];
    if (pod === undefined) return [];
    const colour = this.#colours.of(pod);
    const container = isMain ? plate(podSign(pod), colour) : number(podSign(pod), colour);
    if (holders.gone[holder - 1] === true) container.alpha = 0.5;
    this.container.addChild(container);
    const side = Math.sqrt(size) * cellSize;
    const [x, y] = [originX + column * cellSize, originY + row * cellSize];
    return [{ x, y, side, isMain, container }];
  }

  draw({ screen }: Frame): void {
    for (const { x, y, side, isMain, container } of this.#badges) {
      container.visible = isMain || side * screen.scale >= ROOM_PX;
      container.position.set(
        Math.round(x * screen.scale + screen.left),
        Math.round(screen.top - y * screen.scale),
      );
    }
  }

  recolour(): void {}
}

function plate(sign: string, colour: number): Container {
  const text = label(sign, { fontSize: 14, fill: inkOn(colour) });
  const width = Math.max(HEIGHT_PX, text.width + 14);
  const ground = new Graphics()
    .roundRect(-width / 2, -HEIGHT_PX / 2, width, HEIGHT_PX, HEIGHT_PX / 2)
    .fill({ color: colour })
    .stroke({ color: 0x06121f, alpha: 0.55, width: 2, alignment: 0 });
  const container = new Container();
  container.addChild(ground, text);
  return container;
}

function number(sign: string, fill: number): Text {
  return label(sign, { fontSize: 12, fill, stroke: { color: 0x06121f, width: 3, join: 'round' } });
}

function label(text: string, style: TextStyleOptions): Text {
  const drawn = new Text({
    text,
    resolution: 2,
    style: { fontFamily: FONT, fontWeight: '700', ...style },
  });
  drawn.anchor.set(0.5);
  return drawn;
}
