/**
 * Every entity of the subscription as one particle: a dart along its way if it has been seen to
 * move, else a dot. Particles live in pixels, not in the moving map, so that sizes and positions
 * stay exact at any zoom.
 */
import { CanvasSource, Particle, ParticleContainer, Rectangle, Texture } from 'pixi.js';
import type { MapColours } from '../theme.ts';
import type { Frame, Layer } from './layer.ts';

/** Side of one figure in the texture. */
const FIGURE_PX = 64;
/** Where what is not drawn is put. */
const NOWHERE = -1e6;
/** Lengths of a dart, by zoom. */
const DART_PX = { min: 3.5, max: 26 };
const ROOM_MIN = 1_024;

export class EntitiesLayer implements Layer {
  readonly container = new ParticleContainer({
    eventMode: 'none',
    dynamicProperties: { position: true, rotation: true, vertex: false, uvs: false, color: false },
  });
  readonly #dart: Texture;
  readonly #dot: Texture;
  readonly #cellSize: number;
  readonly #particles: Particle[] = [];
  // By slot: who is in it, where it was first seen, and whether it has moved since.
  #ids = new Float64Array(ROOM_MIN);
  #firstX = new Float64Array(ROOM_MIN);
  #firstY = new Float64Array(ROOM_MIN);
  #isMover = new Uint8Array(ROOM_MIN);
  #look: MapColours | undefined;
  #dartPx = 0;
  #drawn = 0;

  constructor(cellSize: number) {
    this.#cellSize = cellSize;
    const source = new CanvasSource({ resource: figures(), autoGenerateMipmaps: true });
    const frame = (i: number): Rectangle => new Rectangle(i * FIGURE_PX, 0, FIGURE_PX, FIGURE_PX);
    this.#dart = new Texture({ source, frame: frame(0) });
    this.#dot = new Texture({ source, frame: frame(1) });
    this.container.particleChildren = this.#particles;
  }

  /** How many the last frame drew. */
  get drawn(): number {
    return this.#drawn;
  }

  get dartPx(): number {
    return this.#dartPx;
  }

  recolour(colours: MapColours): void {
    this.#look = colours;
    for (let slot = 0; slot < this.#particles.length; slot++) this.#style(slot);
    this.container.update();
  }

  /** PERF: allocates nothing unless there are more slots than ever; 10,000 take about a millisecond. */
  draw({ positions, screen, fromPx, toPx }: Frame): void {
    const { count, ids, x, y, heading } = positions;
    let isDirty = this.#fit(screen.scale);
    if (count > this.#particles.length) {
      this.#grow(count);
      isDirty = true;
    }
    const { scale, left, top } = screen;
    const particles = this.#particles;
    let drawn = 0;
    for (let slot = 0; slot < particles.length; slot++) {
      const particle = particles[slot]!;
      const id = slot < count ? ids[slot]! : 0;
      if (id === 0) {
        particle.x = NOWHERE;
        continue;
      }
      const spaceX = x[slot]!;
      const spaceY = y[slot]!;
      const xPx = spaceX * scale + left;
      const isShown = xPx >= fromPx && xPx < toPx;
      if (isShown) drawn++;
      particle.x = isShown ? xPx : NOWHERE;
      particle.y = top - spaceY * scale;
      // The map's y grows upwards, the screen's downwards.
      particle.rotation = -heading[slot]!;
      if (id !== this.#ids[slot]) {
        this.#ids[slot] = id;
        this.#firstX[slot] = spaceX;
        this.#firstY[slot] = spaceY;
        this.#isMover[slot] = heading[slot] === 0 ? 0 : 1;
      } else if (
        this.#isMover[slot] === 1 ||
        (spaceX === this.#firstX[slot] && spaceY === this.#firstY[slot])
      ) {
        continue;
      } else {
        this.#isMover[slot] = 1;
      }
      this.#style(slot);
      isDirty = true;
    }
    this.#drawn = drawn;
    if (isDirty) this.container.update();
  }

  /** Whether the size of all particles changed with the zoom. */
  #fit(scale: number): boolean {
    const cellPx = this.#cellSize * scale;
    const wanted = 5.5 + 3.2 * Math.log2(cellPx / 28);
    const px = Math.round(Math.min(DART_PX.max, Math.max(DART_PX.min, wanted)) * 2) / 2;
    if (px === this.#dartPx) return false;
    this.#dartPx = px;
    for (let slot = 0; slot < this.#particles.length; slot++) this.#style(slot);
    return true;
  }

  #style(slot: number): void {
    const look = this.#look;
    const particle = this.#particles[slot];
    if (particle === undefined || look === undefined) return;
    const isMover = this.#isMover[slot] === 1;
    const px = isMover ? this.#dartPx : Math.max(2.5, this.#dartPx * 0.34);
    particle.texture = isMover ? this.#dart : this.#dot;
    particle.scaleX = px / FIGURE_PX;
    particle.scaleY = px / FIGURE_PX;
    particle.tint = isMover ? look.mover : look.still;
    particle.alpha = isMover ? 1 : look.stillAlpha;
  }

  #grow(count: number): void {
    const room = Math.max(ROOM_MIN, Math.ceil(count * 1.25));
    const wider = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const wide = new Float64Array(room);
      wide.set(old);
      return wide;
    };
    this.#ids = wider(this.#ids);
    this.#firstX = wider(this.#firstX);
    this.#firstY = wider(this.#firstY);
    const isMover = new Uint8Array(room);
    isMover.set(this.#isMover);
    this.#isMover = isMover;
    while (this.#particles.length < room) {
      this.#particles.push(
        new Particle({ texture: this.#dot, anchorX: 0.5, anchorY: 0.5, x: NOWHERE, y: NOWHERE }),
      );
      this.#style(this.#particles.length - 1);
    }
  }
}

/** A dart that points along +x, and a dot, side by side; white, to be tinted. */
function figures(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = FIGURE_PX * 2;
  canvas.height = FIGURE_PX;
  const paint = canvas.getContext('2d');
  if (paint === null) return canvas;
  const path = new Path2D('M61 32 L8 55 L19 32 L8 9 Z');
  paint.lineJoin = 'round';
  paint.lineWidth = 7;
  paint.strokeStyle = 'rgb(0 0 0 / 0.55)';
  paint.stroke(path);
  paint.fillStyle = '#fff';
  paint.fill(path);
  paint.beginPath();
  paint.arc(FIGURE_PX * 1.5, FIGURE_PX / 2, FIGURE_PX / 2 - 3, 0, Math.PI * 2);
  paint.fill();
  return canvas;
}
