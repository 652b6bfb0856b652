/**
 * The canvas: makes a scene of the world that the gateway welcomes us to, draws a frame whenever the
 * browser wants one, and joins the scene with the page's signals.
 */
// First of all: Pixi's usual way compiles functions from text, which a strict policy forbids.
import 'pixi.js/unsafe-eval';
import type { View, Welcome } from '@leasehold/client';
import { effect } from '@preact/signals';
import { WebGLRenderer } from 'pixi.js';
import type { FrameMeter } from '../meter.ts';
import * as state from '../state.ts';
import { MAP_COLOURS } from '../theme.ts';
import { loadLand } from './land.ts';
import { usePlainShaders } from './plain-shaders.ts';
import { Pointer } from './pointer.ts';
import { Scene } from './scene.ts';

usePlainShaders();

/** After a pause, such as a hidden page, movements do not catch up. */
const ELAPSED_MS_MAX = 100;
/** Phones have up to four pixels per point; more than two cannot be seen, but must be filled. */
const RESOLUTION_MAX = 2;
/**
 * Between frames that the processor draws: as many as it likes would take all of it from the world,
 * which often runs on the same machine.
 */
const SLOW_FRAME_MS = 80;

export class WorldMap {
  readonly #renderer = new WebGLRenderer<HTMLCanvasElement>();
  readonly #host: HTMLElement;
  readonly #view: View;
  readonly #meter: FrameMeter;
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  readonly #pointer: Pointer;
  #scene: Scene | undefined;
  #frameMs = 0;
  #lastMs = 0;

  constructor(host: HTMLElement, view: View, meter: FrameMeter) {
    this.#host = host;
    this.#view = view;
    this.#meter = meter;
    this.#pointer = new Pointer(host);
  }

  get scene(): Scene | undefined {
    return this.#scene;
  }

  /** `slow`: the processor draws, so fewer pixels, and seldom. Rejects without WebGL. */
  async start(graphics: 'fast' | 'slow'): Promise<void> {
    this.#frameMs = graphics === 'fast' ? 0 : SLOW_FRAME_MS;
    const sharpness = graphics === 'fast' ? RESOLUTION_MAX : 1;
    const { clientWidth, clientHeight } = this.#host;
    await this.#renderer.init({
      width: Math.max(1, clientWidth),
      height: Math.max(1, clientHeight),
      resolution: Math.min(devicePixelRatio, sharpness),
      autoDensity: true,
      antialias: graphics === 'fast' && devicePixelRatio < RESOLUTION_MAX,
      accessibilityOptions: { enabledByDefault: false, activateOnTab: false },
    });
    const { canvas } = this.#renderer;
    canvas.setAttribute('aria-hidden', 'true');
    this.#host.append(canvas);
    new ResizeObserver(() => this.#resize()).observe(this.#host);
    this.#followSignals();
    this.#offerControls();
    requestAnimationFrame((nowMs) => this.#draw(nowMs));
  }

  async #open(welcome: Welcome): Promise<void> {
    const land = welcome.space.kind === 'wgs84' ? await loadLand() : [];
    // Another welcome may have come while the land was loading.
    if (state.welcome.peek() !== welcome) return;
    this.#scene?.destroy();
    const scene = new Scene({
      view: this.#view,
      welcome,
      events: this.#renderer.events,
      colours: state.colours,
      refused: ({ message, remedy }) => {
        state.asOf.value = '';
        state.notice.value = `${message}. ${remedy}`;
      },
      land,
      isCalm: this.#isCalm,
      widthPx: Math.max(1, this.#host.clientWidth),
      heightPx: Math.max(1, this.#host.clientHeight),
    });
    this.#scene = scene;
    scene.recolour(MAP_COLOURS[state.theme.peek()]);
    const holders = state.holders.peek();
    if (holders !== undefined) scene.showHolders(holders);
    scene.showPlan(state.plan.peek());
    scene.plan.light(state.lit.peek());
    scene.showPast(state.asOf.peek());
    this.#applyLayers();
    scene.viewport.on('drag-start', () => {
      state.isFollowing.value = false;
    });
  }

  #followSignals(): void {
    effect(() => {
      const welcome = state.welcome.value;
      if (welcome === undefined || isSameWorld(welcome, this.#scene?.welcome)) return;
      void this.#open(welcome);
    });
    effect(() => {
      const holders = state.holders.value;
      if (holders !== undefined) this.#scene?.showHolders(holders);
    });
    effect(() => {
      const plan = state.plan.value;
      this.#scene?.showPlan(plan);
    });
    effect(() => {
      const lit = state.lit.value;
      this.#scene?.plan.light(lit);
    });
    effect(() => {
      const colours = MAP_COLOURS[state.theme.value];
      this.#renderer.background.color = colours.beyond;
      this.#scene?.recolour(colours);
    });
    effect(() => {
      const asOf = state.asOf.value;
      this.#scene?.showPast(asOf);
    });
    effect(() => this.#applyLayers());
  }

  #applyLayers(): void {
    const { cells, holders, regions, ids, trails } = state.layers;
    // Who holds what, and where somebody went, is known of now alone.
    const isNow = state.asOf.value === '';
    const now = {
      holders: isNow && holders.value,
      trails: isNow && trails.value,
      regions: isNow && regions.value,
    };
    const has = { cells: cells.value, ids: ids.value, ...now };
    const scene = this.#scene;
    if (scene === undefined) return;
    scene.cells.lines.visible = has.cells;
    scene.cells.tints.visible = has.holders;
    scene.badges.container.visible = has.holders;
    scene.marks.showsIds = has.ids;
    if (has.trails && !scene.trails.mesh.visible) scene.trails.clear();
    scene.trails.mesh.visible = has.trails;
    scene.plan.outlines.visible = has.regions;
    scene.plan.texts.visible = has.regions;
    scene.plan.refresh();
  }

  /** PERF: everything the main thread does for a frame is between the two looks at the clock. */
  #draw(nowMs: number): void {
    requestAnimationFrame((next) => this.#draw(next));
    const startedMs = performance.now();
    const scene = this.#scene;
    if (scene === undefined || nowMs - this.#lastMs < this.#frameMs) return;
    const elapsedMs = Math.min(ELAPSED_MS_MAX, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    scene.marks.selected = state.selected.peek();
    scene.past.share = state.pastShare.peek();
    scene.update(nowMs, elapsedMs, state.isFollowing.peek() ? state.selected.peek() : 0);
    this.#pointer.hover(scene, nowMs);
    this.#renderer.render(scene.stage);
    this.#meter.add(nowMs, performance.now() - startedMs);
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#host;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#renderer.resize(clientWidth, clientHeight);
    this.#scene?.resize(clientWidth, clientHeight);
  }

  #offerControls(): void {
    this.#pointer.listen(() => this.#scene);
    state.controls.value = {
      panBy: (xPx, yPx) => {
        const viewport = this.#scene?.viewport;
        if (viewport === undefined) return;
        this.#scene?.leaveHome();
        viewport.position.set(viewport.x - xPx, viewport.y - yPx);
      },
      zoomBy: (factor) => {
        const viewport = this.#scene?.viewport;
        this.#scene?.leaveHome();
        viewport?.setZoom(viewport.scale.x * factor, true);
      },
      home: () => {
        state.isFollowing.value = false;
        this.#scene?.home();
      },
      centreOn: (x, y) => this.#scene?.centreOn(x, y),
      selectBeside: (step) => {
        const id = this.#scene?.idBeside(state.selected.peek(), step) ?? 0;
        if (id === 0) return;
        state.select(id);
        state.notice.value = `Entity ${id} is selected.`;
      },
    };
  }
}

function isSameWorld(a: Welcome, b: Welcome | undefined): boolean {
  const key = ({ world, incarnation, grid, components }: Welcome): string =>
    JSON.stringify([world, incarnation, grid, components]);
  return b !== undefined && key(a) === key(b);
}
