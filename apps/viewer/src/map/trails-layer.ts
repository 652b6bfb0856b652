/**
 * Where entities have been: a fading line behind each. One mesh of line segments in map units, from
 * positions that are sampled a few times a second, so that a frame costs nothing in between.
 */
import { Buffer, BufferUsage, Geometry, Mesh, Shader } from 'pixi.js';
import type { MapColours } from '../theme.ts';
import type { Grid } from './camera.ts';
import type { Frame, Layer } from './layer.ts';

/** Samples an entity's trail has, the newest included. */
const SAMPLES = 10;
const SAMPLE_MS = 350;
/** Memory is bounded: in larger crowds nobody can see single trails anyway. */
const ENTITIES_MAX = 20_000;

const VERTEX = `
in vec2 aPosition;
in float aAge;
out float vAge;
uniform mat3 uProjectionMatrix;
uniform mat3 uWorldTransformMatrix;
uniform mat3 uTransformMatrix;
void main() {
  mat3 all = uProjectionMatrix * uWorldTransformMatrix * uTransformMatrix;
  gl_Position = vec4((all * vec3(aPosition, 1.0)).xy, 0.0, 1.0);
  vAge = aAge;
}`;
const FRAGMENT = `
in float vAge;
out vec4 finalColor;
uniform vec4 uTint;
void main() {
  finalColor = vec4(uTint.rgb, 1.0) * uTint.a * (1.0 - vAge);
}`;

export class TrailsLayer implements Layer {
  readonly mesh: Mesh<Geometry, Shader>;
  readonly #grid: Grid;
  readonly #tint = new Float32Array(4);
  readonly #shader: Shader;
  readonly #points: Buffer;
  readonly #ages: Buffer;
  #vertices = new Float32Array(0);
  /** [slot × SAMPLES + sample] in map units; a ring whose newest is `#newest`. */
  #x = new Float32Array(0);
  #y = new Float32Array(0);
  #ids = new Float64Array(0);
  #newest = 0;
  #sampledAtMs = Number.NEGATIVE_INFINITY;

  constructor(grid: Grid) {
    this.#grid = grid;
    const usage = BufferUsage.VERTEX | BufferUsage.COPY_DST;
    this.#points = new Buffer({ data: new Float32Array(4), usage, shrinkToFit: false });
    this.#ages = new Buffer({ data: new Float32Array(2), usage, shrinkToFit: false });
    const geometry = new Geometry({
      attributes: {
        aPosition: { buffer: this.#points, format: 'float32x2' },
        aAge: { buffer: this.#ages, format: 'float32' },
      },
      topology: 'line-list',
    });
    this.#shader = Shader.from({
      gl: { vertex: VERTEX, fragment: FRAGMENT, name: 'trails' },
      resources: { trail: { uTint: { value: this.#tint, type: 'vec4<f32>' } } },
    });
    this.mesh = new Mesh({ geometry, shader: this.#shader });
    this.mesh.eventMode = 'none';
    this.mesh.visible = false;
  }

  recolour({ trail }: MapColours): void {
    this.#tint.set([(trail >> 16) / 255, ((trail >> 8) & 255) / 255, (trail & 255) / 255, 0.4]);
  }

  draw({ nowMs, positions }: Frame): void {
    if (!this.mesh.visible || nowMs - this.#sampledAtMs < SAMPLE_MS) return;
    this.#sampledAtMs = nowMs;
    const count = Math.min(positions.count, ENTITIES_MAX);
    if (count * SAMPLES > this.#x.length) this.#grow(count);
    this.#newest = (this.#newest + 1) % SAMPLES;
    const { originX, originY, height } = this.#grid;
    for (let slot = 0; slot < this.#ids.length; slot++) {
      const id = slot < count ? positions.ids[slot]! : 0;
      const base = slot * SAMPLES;
      const x = positions.x[slot]! - originX;
      const y = originY + height - positions.y[slot]!;
      if (id !== this.#ids[slot]) {
        this.#ids[slot] = id;
        this.#x.fill(x, base, base + SAMPLES);
        this.#y.fill(y, base, base + SAMPLES);
      }
      this.#x[base + this.#newest] = x;
      this.#y[base + this.#newest] = y;
    }
    this.#upload();
  }

  /** Forgets all, so that a trail does not bridge the time it was switched off. */
  clear(): void {
    this.#ids.fill(0);
  }

  #upload(): void {
    const vertices = this.#vertices;
    const [farX, farY] = [this.#grid.width / 2, this.#grid.height / 2];
    let at = 0;
    for (let slot = 0; slot < this.#ids.length; slot++) {
      const base = slot * SAMPLES;
      for (let age = 0; age < SAMPLES - 1; age++) {
        const newer = base + ((this.#newest - age + SAMPLES) % SAMPLES);
        const older = base + ((this.#newest - age - 1 + SAMPLES) % SAMPLES);
        const x = this.#x[newer]!;
        const y = this.#y[newer]!;
        // A step over the seam would draw a line across the whole map.
        const isLeap = Math.abs(this.#x[older]! - x) > farX || Math.abs(this.#y[older]! - y) > farY;
        const isDrawn = this.#ids[slot] !== 0 && !isLeap;
        vertices[at++] = x;
        vertices[at++] = y;
        vertices[at++] = isDrawn ? this.#x[older]! : x;
        vertices[at++] = isDrawn ? this.#y[older]! : y;
      }
    }
    this.#points.setDataWithSize(vertices, at, true);
  }

  #grow(count: number): void {
    const room = Math.min(ENTITIES_MAX, Math.ceil(count * 1.25));
    this.#ids = new Float64Array(room);
    this.#x = new Float32Array(room * SAMPLES);
    this.#y = new Float32Array(room * SAMPLES);
    this.#vertices = new Float32Array(room * (SAMPLES - 1) * 4);
    const ages = new Float32Array(room * (SAMPLES - 1) * 2);
    for (let i = 0; i < ages.length; i++) {
      const segment = Math.floor(i / 2) % (SAMPLES - 1);
      ages[i] = (segment + (i % 2)) / (SAMPLES - 1);
    }
    this.#ages.data = ages;
  }
}
