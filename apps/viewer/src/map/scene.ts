/**
 * One world on the map: camera, layers, and the subscription that follows the camera. It draws when
 * it is told to and keeps no timer.
 */
import type {
  Area,
  Entity,
  Fault,
  Holders,
  PlanView,
  Subscription,
  View,
  Welcome,
} from '@leasehold/client';
import { Container, type EventSystem } from 'pixi.js';
import { Viewport } from 'pixi-viewport';
import type { PodColours } from '../palette.ts';
import type { MapColours } from '../theme.ts';
import { BadgesLayer } from './badges-layer.ts';
import { areaFor, type Bounds, homeScale, scaleLimits } from './camera.ts';
import { CellsLayer } from './cells-layer.ts';
import { EntitiesLayer } from './entities-layer.ts';
import type { LandPolygon } from './land.ts';
import { LandLayer } from './land-layer.ts';
import { type Frame, type Layer, NOBODY } from './layer.ts';
import { MarksLayer } from './marks-layer.ts';
import { PastSide } from './past-side.ts';
import { idBeside, slotAt } from './picking.ts';
import { PlanLayer } from './plan-layer.ts';
import { mapComponents } from './selection.ts';
import { TrailsLayer } from './trails-layer.ts';

/** The area moves at most this often. */
const AREA_EVERY_MS = 200;
export type SceneParts = {
  readonly view: View;
  readonly welcome: Welcome;
  readonly events: EventSystem;
  readonly colours: PodColours;
  /** The snapshot that was to be shown cannot be. */
  readonly refused: (fault: Fault) => void;
  readonly land: readonly LandPolygon[];
  readonly isCalm: boolean;
  readonly widthPx: number;
  readonly heightPx: number;
};

export class Scene {
  readonly stage = new Container();
  readonly viewport: Viewport;
  readonly marks = new MarksLayer();
  readonly cells: CellsLayer;
  readonly badges: BadgesLayer;
  readonly plan: PlanLayer;
  readonly trails: TrailsLayer;
  readonly entities: EntitiesLayer;
  readonly past: PastSide;
  readonly subscription: Subscription;
  readonly welcome: Welcome;
  readonly #layers: readonly Layer[];
  readonly #frame: Frame;
  #area: Area = { kind: 'world' };
  #areaSetAtMs = 0;
  /** Until the user moves the camera, it keeps showing all when the window changes. */
  #isHome = true;

  constructor(parts: SceneParts) {
    const { view, welcome, events, colours, widthPx, heightPx } = parts;
    const { grid } = welcome;
    this.welcome = welcome;
    this.viewport = new Viewport({
      events,
      screenWidth: widthPx,
      screenHeight: heightPx,
      worldWidth: grid.width,
      worldHeight: grid.height,
      noTicker: true,
      threshold: 6,
      passiveWheel: false,
    });
    this.viewport
      .drag({ mouseButtons: 'left' })
      .pinch()
      .wheel({ smooth: parts.isCalm ? false : 6 });
    if (!parts.isCalm) this.viewport.decelerate({ friction: 0.93 });
    this.viewport.on('drag-start', () => this.leaveHome());
    this.viewport.on('wheel-start', () => this.leaveHome());
    this.viewport.on('pinch-start', () => this.leaveHome());
    const land = new LandLayer(grid, parts.land);
    this.cells = new CellsLayer(grid, colours, parts.isCalm);
    this.badges = new BadgesLayer(grid, colours);
    this.plan = new PlanLayer(grid, colours);
    this.trails = new TrailsLayer(grid);
    this.entities = new EntitiesLayer(grid.cellSize);
    const components = mapComponents(welcome);
    const { refused } = parts;
    this.past = new PastSide({ view, cellSize: grid.cellSize, components, refused });
    const { cells, plan, trails, entities, badges, marks, past } = this;
    this.#layers = [land, cells, plan, trails, entities, badges, marks];
    this.viewport.addChild(land.container, cells.tints, cells.lines, trails.mesh);
    const below = [past.ground, plan.outlines, entities.container, past.entities.container];
    const above = [plan.texts, badges.container, marks.container, past.marks.container];
    this.stage.addChild(this.viewport, ...below, ...above);
    this.#frame = {
      nowMs: 0,
      positions: NOBODY,
      screen: { scale: 1, left: 0, top: 0 },
      widthPx,
      heightPx,
      fromPx: Number.NEGATIVE_INFINITY,
      toPx: Number.POSITIVE_INFINITY,
    };
    this.subscription = view.subscribe({ area: this.#area, components });
    this.resize(widthPx, heightPx);
    this.home();
  }

  get frame(): Readonly<Frame> {
    return this.#frame;
  }

  leaveHome(): void {
    this.#isHome = false;
  }

  home(): void {
    const { grid } = this.welcome;
    const { widthPx, heightPx } = this.#frame;
    this.viewport.setZoom(homeScale(grid, widthPx, heightPx) * 0.985);
    this.viewport.moveCenter(grid.width / 2, grid.height / 2);
    this.#isHome = true;
  }

  resize(widthPx: number, heightPx: number): void {
    const { grid } = this.welcome;
    const { viewport } = this;
    this.#frame.widthPx = widthPx;
    this.#frame.heightPx = heightPx;
    viewport.resize(widthPx, heightPx, grid.width, grid.height);
    const { min, max } = scaleLimits(grid, widthPx, heightPx);
    viewport.clampZoom({ minScale: min, maxScale: max });
    viewport.clamp({ direction: 'all', underflow: 'center' });
    if (this.#isHome) this.home();
  }

  recolour(colours: MapColours): void {
    for (const layer of this.#layers) layer.recolour(colours);
    this.past.recolour(colours);
  }

  /** Shows a snapshot, '' for none; how much of the map it gets is its `share`. */
  showPast(asOf: string): void {
    this.past.show(asOf, this.#area);
  }

  showHolders(holders: Holders): void {
    // Those of another world, which is being replaced by it.
    if (holders.cells.length !== this.welcome.grid.columns * this.welcome.grid.rows) return;
    this.cells.show(holders);
    this.badges.show(holders);
    this.plan.refresh();
  }

  showPlan(plan: PlanView | undefined): void {
    const { grid, tickHz } = this.welcome;
    // One of another world, as with holders.
    const isOurs = plan?.regions.every(({ rect }) => {
      return rect.column + rect.columns <= grid.columns && rect.row + rect.rows <= grid.rows;
    });
    const shown = isOurs === true ? plan : undefined;
    this.plan.show(shown, tickHz);
    this.cells.showAsleep(shown);
  }

  /** Brings everything to `nowMs`; `followed` is the entity the camera keeps in its centre, or 0. */
  update(nowMs: number, elapsedMs: number, followed: number): void {
    const frame = this.#frame;
    frame.nowMs = nowMs;
    frame.positions = this.subscription.positions(nowMs);
    if (followed !== 0) this.#follow(followed);
    this.viewport.update(elapsedMs);
    const { grid } = this.welcome;
    const scale = this.viewport.scale.x;
    frame.screen.scale = scale;
    frame.screen.left = this.viewport.x - grid.originX * scale;
    frame.screen.top = this.viewport.y + (grid.originY + grid.height) * scale;
    this.past.draw(frame, this.marks);
    for (const layer of this.#layers) layer.draw(frame);
    if (nowMs - this.#areaSetAtMs >= AREA_EVERY_MS) this.#moveArea(nowMs);
  }

  centreOn(x: number, y: number): void {
    const { grid } = this.welcome;
    this.leaveHome();
    this.viewport.moveCenter(x - grid.originX, grid.originY + grid.height - y);
  }

  /** What is on the screen, in units of the space. */
  seen(): Bounds {
    const { screen, widthPx, heightPx } = this.#frame;
    return {
      minX: -screen.left / screen.scale,
      maxX: (widthPx - screen.left) / screen.scale,
      minY: (screen.top - heightPx) / screen.scale,
      maxY: screen.top / screen.scale,
    };
  }

  /** The id at a pixel, 0 for nobody. */
  idAt(xPx: number, yPx: number, withinPx: number): number {
    const { positions, screen } = this.#frameAt(xPx);
    const slot = slotAt(positions, screen, { xPx, yPx, withinPx });
    return slot < 0 ? 0 : positions.ids[slot]!;
  }

  idBeside(id: number, step: 1 | -1): number {
    return idBeside(this.#main.positions, this.seen(), id, step);
  }

  /** An entity as it is, or was, on the side of the map that a pixel is on. */
  entityAt(id: number, xPx: number): Entity | undefined {
    const isPast = this.#frameAt(xPx) !== this.#frame;
    return (isPast ? this.past.subscription : this.subscription)?.get(id);
  }

  #frameAt(xPx: number): Readonly<Frame> {
    return xPx < this.#frame.fromPx ? (this.past.frame ?? this.#frame) : this.#frame;
  }

  /** What the camera and the keyboard go by: now, unless the past is all that is shown. */
  get #main(): Readonly<Frame> {
    return this.past.isWhole ? (this.past.frame ?? this.#frame) : this.#frame;
  }

  destroy(): void {
    this.subscription.close();
    this.past.subscription?.close();
    this.stage.destroy({ children: true });
  }

  #follow(id: number): void {
    const { count, ids, x, y } = this.#main.positions;
    for (let slot = 0; slot < count; slot++) {
      if (ids[slot] !== id) continue;
      this.centreOn(x[slot]!, y[slot]!);
      return;
    }
  }

  #moveArea(nowMs: number): void {
    const area = areaFor(this.seen(), this.welcome.grid, this.#area);
    if (area === this.#area) return;
    this.#area = area;
    this.#areaSetAtMs = nowMs;
    this.subscription.setArea(area);
    this.past.subscription?.setArea(area);
  }
}
