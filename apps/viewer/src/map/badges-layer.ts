/** The numbers of pods, written in their largest regions: colour is never the only sign. */
import type { Holders } from '@leasehold/client';
import { Container, Graphics, Text } from 'pixi.js';
import { inkOn, type PodColours, podSign } from '../palette.ts';
import type { Grid } from './camera.ts';
import type { Frame, Layer } from './layer.ts';
import { labelPlaces } from './regions.ts';

const HEIGHT_PX = 24;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

type Badge = { readonly x: number; readonly y: number; readonly container: Container };

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
    const { originX, originY, cellSize } = this.#grid;
    this.#badges = labelPlaces(holders.cells, this.#grid).flatMap(({ holder, column, row }) => {
      const pod = holders.pods[holder - 1];
      if (pod === undefined) return [];
      const container = badge(podSign(pod), this.#colours.of(pod));
      if (holders.gone[holder - 1] === true) container.alpha = 0.5;
      this.container.addChild(container);
      return [{ x: originX + column * cellSize, y: originY + row * cellSize, container }];
    });
  }

  draw({ screen }: Frame): void {
    for (const { x, y, container } of this.#badges) {
      container.position.set(
        Math.round(x * screen.scale + screen.left),
        Math.round(screen.top - y * screen.scale),
      );
    }
  }

  recolour(): void {}
}

function badge(sign: string, colour: number): Container {
  const text = new Text({
    text: sign,
    resolution: 2,
    style: { fontFamily: FONT, fontSize: 14, fontWeight: '700', fill: inkOn(colour) },
  });
  text.anchor.set(0.5);
  const width = Math.max(HEIGHT_PX, text.width + 14);
  const plate = new Graphics()
    .roundRect(-width / 2, -HEIGHT_PX / 2, width, HEIGHT_PX, HEIGHT_PX / 2)
    .fill({ color: colour })
    .stroke({ color: 0x06121f, alpha: 0.55, width: 2, alignment: 0 });
  const container = new Container();
  container.addChild(plate, text);
  return container;
}
