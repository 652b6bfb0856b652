/** Sea, land and coasts, or the plain ground of a world that is not on the globe. Never moves. */
import { Container, Graphics } from 'pixi.js';
import type { MapColours } from '../theme.ts';
import type { Grid } from './camera.ts';
import type { LandPolygon } from './land.ts';
import type { Layer } from './layer.ts';

/** Map units: x from the west edge, y from the north edge. */
export class LandLayer implements Layer {
  readonly container = new Container({ eventMode: 'none' });
  readonly #grid: Grid;
  readonly #land: readonly LandPolygon[];

  constructor(grid: Grid, land: readonly LandPolygon[]) {
    this.#grid = grid;
    this.#land = land;
  }

  draw(): void {}

  recolour({ sea, land, coast, border }: MapColours): void {
    const { width, height } = this.#grid;
    for (const child of this.container.removeChildren()) child.destroy();
    const ground = new Graphics().rect(0, 0, width, height).fill(sea);
    ground.rect(0, 0, width, height).stroke({ color: border, alpha: 0.35, pixelLine: true });
    const fills = new Graphics();
    const coasts = new Graphics();
    for (const { outline, holes } of this.#land) {
      fills.poly(this.#toMap(outline)).fill(land);
      for (const hole of holes) fills.poly(this.#toMap(hole)).cut();
      for (const ring of [outline, ...holes]) coasts.poly(this.#toMap(ring));
    }
    if (this.#land.length > 0) coasts.stroke({ color: coast, alpha: 0.9, pixelLine: true });
    this.container.addChild(ground, fills, coasts);
  }

  #toMap(ring: readonly number[]): number[] {
    const { originX, originY, height } = this.#grid;
    return ring.map((value, i) => (i % 2 === 0 ? value - originX : originY + height - value));
  }
}
