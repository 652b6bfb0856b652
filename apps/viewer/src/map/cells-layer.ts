/**
 * The grid and who holds it: one texture with a pixel per cell, lines between cells and between
 * pods, a hatch where nobody is, a dot where nobody is to be, and a flash where that changes.
 */
import type { Holders, PlanView } from '@leasehold/client';
import { BufferImageSource, Container, Graphics, Sprite, Texture } from 'pixi.js';
import type { PodColours } from '../palette.ts';
import { asleepCells } from '../plan-words.ts';
import type { MapColours } from '../theme.ts';
import type { Grid } from './camera.ts';
import type { Frame, Layer } from './layer.ts';
import { borderLines } from './regions.ts';

const FLASH_MS = 1_100;
const PULSE_MS = 700;
/** Lines cost vertices; worlds with more cells show colours only. */
const LINED_CELLS_MAX = 65_536;
const HATCHED_CELLS_MAX = 4_096;
/** Half of the side of a dot, in cells. */
const DOT = 0.07;

export class CellsLayer implements Layer {
  readonly tints = new Container({ eventMode: 'none' });
  readonly lines = new Container({ eventMode: 'none' });
  readonly #grid: Grid;
  readonly #colours: PodColours;
  readonly #isCalm: boolean;
  readonly #tint: Pixels;
  readonly #flash: Pixels;
  readonly #gridLines = new Graphics();
  readonly #borders = new Graphics();
  readonly #hatch = new Graphics();
  readonly #dots = new Graphics();
  /** By cell: when its holder changed; −∞ = long ago. */
  readonly #changedAtMs: Float64Array;
  #holders: Holders | undefined;
  /** By cell: 1 = it sleeps, so that nobody is to hold it. */
  #asleep = new Uint8Array(0);
  #names: readonly string[] = [];
  #look: MapColours | undefined;
  #isFlashing = false;
  #nowMs = 0;

  /** `isCalm`: the user prefers no motion, so nothing flashes. */
  constructor(grid: Grid, colours: PodColours, isCalm: boolean) {
    this.#grid = grid;
    this.#colours = colours;
    this.#isCalm = isCalm;
    this.#tint = new Pixels(grid);
    this.#flash = new Pixels(grid);
    this.#changedAtMs = new Float64Array(grid.columns * grid.rows).fill(Number.NEGATIVE_INFINITY);
    this.#flash.sprite.visible = false;
    this.tints.addChild(this.#tint.sprite, this.#flash.sprite, this.#hatch, this.#dots);
    this.lines.addChild(this.#gridLines, this.#borders);
  }

  show(holders: Holders): void {
    const before = this.#holders;
    const names = this.#names;
    this.#holders = holders;
    this.#names = holders.pods;
    if (before !== undefined) {
      for (const [cell, holder] of holders.cells.entries()) {
        const name = holders.pods[holder - 1];
        if (name !== names[before.cells[cell]! - 1]) this.#changedAtMs[cell] = this.#nowMs;
      }
      this.#isFlashing = !this.#isCalm;
    }
    this.#paint();
  }

  showAsleep(plan: PlanView | undefined): void {
    const asleep = plan === undefined ? [] : asleepCells(plan, this.#changedAtMs.length);
    const isSame =
      asleep.length === this.#asleep.length && asleep.every((is, i) => is === this.#asleep[i]);
    if (isSame) return;
    this.#asleep = Uint8Array.from(asleep);
    this.#paint();
  }

  recolour(colours: MapColours): void {
    this.#look = colours;
    this.#tint.sprite.alpha = colours.holderAlpha;
    this.#drawGrid(colours);
    this.#paint();
  }

  draw({ nowMs }: Frame): void {
    this.#nowMs = nowMs;
    if (this.#isFlashing) this.#animate(nowMs);
  }

  #animate(nowMs: number): void {
    const holders = this.#holders;
    const flash = this.#flash;
    if (holders === undefined) return;
    const pulse = 90 + 80 * Math.sin((nowMs / PULSE_MS) * 2 * Math.PI);
    let isActive = false;
    for (let cell = 0; cell < holders.cells.length; cell++) {
      const age = (nowMs - this.#changedAtMs[cell]!) / FLASH_MS;
      const isGone = holders.gone[holders.cells[cell]! - 1] === true;
      let light = isGone ? pulse : 0;
      if (age < 1) light = Math.max(light, 200 * (1 - age) ** 2);
      if (age < 1 || isGone) isActive = true;
      flash.set(cell, light, light, light, light);
    }
    flash.upload();
    flash.sprite.visible = isActive;
    this.#isFlashing = isActive;
  }

  #paint(): void {
    const holders = this.#holders;
    const look = this.#look;
    if (holders === undefined || look === undefined) return;
    const rgb = holders.pods.map((pod) => this.#colours.of(pod));
    const bare: number[] = [];
    const asleep: number[] = [];
    for (const [cell, holder] of holders.cells.entries()) {
      const colour = rgb[holder - 1];
      if (colour === undefined) this.#tint.set(cell, 0, 0, 0, 0);
      else this.#tint.set(cell, (colour >> 16) & 255, (colour >> 8) & 255, colour & 255, 255);
      if (colour === undefined && this.#asleep[cell] === 1) asleep.push(cell);
      else if (colour === undefined || holders.gone[holder - 1] === true) bare.push(cell);
      if (holders.gone[holder - 1] === true) this.#isFlashing = !this.#isCalm;
    }
    this.#tint.upload();
    this.#drawBorders(holders, look);
    this.#drawHatch(bare, look);
    this.#drawDots(asleep, look);
  }

  #drawGrid({ grid: color, gridAlpha: alpha }: MapColours): void {
    const { columns, rows, cellSize, height } = this.#grid;
    const lines = this.#gridLines.clear();
    if (columns * rows > LINED_CELLS_MAX) return;
    const top = height - rows * cellSize;
    for (let column = 0; column <= columns; column++) {
      lines.moveTo(column * cellSize, top).lineTo(column * cellSize, height);
    }
    for (let row = 0; row <= rows; row++) {
      lines.moveTo(0, height - row * cellSize).lineTo(columns * cellSize, height - row * cellSize);
    }
    lines.stroke({ color, alpha, pixelLine: true });
  }

  #drawBorders(holders: Holders, { border: color }: MapColours): void {
    const { columns, rows, cellSize, height } = this.#grid;
    const graphics = this.#borders.clear();
    if (columns * rows > LINED_CELLS_MAX) return;
    const ends = borderLines(holders.cells, { columns, rows });
    for (let i = 0; i < ends.length; i += 4) {
      graphics
        .moveTo(ends[i]! * cellSize, height - ends[i + 1]! * cellSize)
        .lineTo(ends[i + 2]! * cellSize, height - ends[i + 3]! * cellSize);
    }
    if (ends.length > 0) graphics.stroke({ color, alpha: 0.45, pixelLine: true });
  }

  /** One in each cell that sleeps. */
  #drawDots(cells: readonly number[], { hatch: color }: MapColours): void {
    const { columns, cellSize, height } = this.#grid;
    const graphics = this.#dots.clear();
    if (cells.length === 0 || cells.length > HATCHED_CELLS_MAX) return;
    for (const cell of cells) {
      const left = ((cell % columns) + 0.5 - DOT) * cellSize;
      const top = height - (Math.floor(cell / columns) + 0.5 + DOT) * cellSize;
      graphics.rect(left, top, 2 * DOT * cellSize, 2 * DOT * cellSize);
    }
    graphics.fill({ color, alpha: 0.8 });
  }

  /** Three slanted lines in each cell that nobody living holds. */
  #drawHatch(cells: readonly number[], { hatch: color }: MapColours): void {
    const { columns, cellSize, height } = this.#grid;
    const graphics = this.#hatch.clear();
    if (cells.length === 0 || cells.length > HATCHED_CELLS_MAX) return;
    for (const cell of cells) {
      const left = (cell % columns) * cellSize;
      const bottom = height - Math.floor(cell / columns) * cellSize;
      for (const share of [0.5, 1, 1.5]) {
        const near = Math.max(0, share - 1) * cellSize;
        const far = Math.min(1, share) * cellSize;
        graphics.moveTo(left + near, bottom - far).lineTo(left + far, bottom - near);
      }
    }
    graphics.stroke({ color, alpha: 0.55, pixelLine: true });
  }
}

/** A texture of one pixel per cell, laid over the grid. */
class Pixels {
  readonly sprite: Sprite;
  readonly #bytes: Uint8Array;
  readonly #source: BufferImageSource;
  readonly #columns: number;
  readonly #rows: number;

  constructor({ columns, rows, cellSize, height }: Grid) {
    this.#columns = columns;
    this.#rows = rows;
    this.#bytes = new Uint8Array(columns * rows * 4);
    this.#source = new BufferImageSource({
      resource: this.#bytes,
      width: columns,
      height: rows,
      format: 'rgba8unorm',
      alphaMode: 'premultiplied-alpha',
      scaleMode: 'nearest',
    });
    this.sprite = new Sprite(new Texture({ source: this.#source }));
    this.sprite.position.set(0, height - rows * cellSize);
    this.sprite.setSize(columns * cellSize, rows * cellSize);
  }

  /** Each 0 … 255, the colour multiplied by the alpha. */
  set(cell: number, r: number, g: number, b: number, a: number): void {
    const column = cell % this.#columns;
    // Row 0 of the grid is in the south, row 0 of a texture at the top.
    const row = this.#rows - 1 - (cell - column) / this.#columns;
    const at = (row * this.#columns + column) * 4;
    this.#bytes[at] = r;
    this.#bytes[at + 1] = g;
    this.#bytes[at + 2] = b;
    this.#bytes[at + 3] = a;
  }

  upload(): void {
    this.#source.update();
  }
}
