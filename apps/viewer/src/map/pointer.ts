/** Hovering and choosing entities, and regions by their labels, with mouse, pen and finger. */
import type { PlanRegion } from '@leasehold/client';
import { regionText } from '../plan-words.ts';
import * as state from '../state.ts';
import type { Scene } from './scene.ts';
import { glanceText } from './selection.ts';

const HOVER_EVERY_MS = 60;
/** A finger is less exact than a mouse. */
const WITHIN_PX = { mouse: 14, touch: 26 };
/** What moves farther, or lasts longer, is no click. */
const CLICK_PX_MAX = 6;
const CLICK_MS_MAX = 700;

export class Pointer {
  readonly #host: HTMLElement;
  #over: { readonly xPx: number; readonly yPx: number } | undefined;
  #down: { readonly xPx: number; readonly yPx: number; readonly atMs: number } | undefined;
  #hoveredAtMs = 0;
  /** Whose label the mouse is on. */
  #region: number | undefined;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  listen(sceneNow: () => Scene | undefined): void {
    const host = this.#host;
    const at = (event: PointerEvent): { xPx: number; yPx: number } => {
      const { left, top } = host.getBoundingClientRect();
      return { xPx: event.clientX - left, yPx: event.clientY - top };
    };
    host.addEventListener('pointermove', (event) => {
      this.#over = event.pointerType === 'touch' || event.buttons !== 0 ? undefined : at(event);
    });
    host.addEventListener('pointerleave', () => {
      this.#over = undefined;
    });
    host.addEventListener('pointerdown', (event) => {
      this.#down = event.isPrimary ? { ...at(event), atMs: event.timeStamp } : undefined;
    });
    host.addEventListener('pointerup', (event) => {
      const down = this.#down;
      this.#down = undefined;
      const { xPx, yPx } = at(event);
      if (down === undefined || event.timeStamp - down.atMs > CLICK_MS_MAX) return;
      if (Math.hypot(xPx - down.xPx, yPx - down.yPx) > CLICK_PX_MAX) return;
      const within = event.pointerType === 'touch' ? WITHIN_PX.touch : WITHIN_PX.mouse;
      const scene = sceneNow();
      const id = scene?.idAt(xPx, yPx, within) ?? 0;
      const region = id === 0 ? scene?.plan.regionAt(xPx, yPx) : undefined;
      if (scene !== undefined && region !== undefined) choose(region, scene);
      else state.select(id);
    });
  }

  /** Once per frame; looks only now and then. */
  hover(scene: Scene, nowMs: number): void {
    if (nowMs - this.#hoveredAtMs < HOVER_EVERY_MS) return;
    this.#hoveredAtMs = nowMs;
    const over = this.#over;
    const id = over === undefined ? 0 : scene.idAt(over.xPx, over.yPx, WITHIN_PX.mouse);
    scene.marks.hovered = id;
    const entity = id === 0 || over === undefined ? undefined : scene.entityAt(id, over.xPx);
    const region =
      over === undefined || entity !== undefined
        ? undefined
        : scene.plan.regionAt(over.xPx, over.yPx);
    this.#point(region);
    this.#host.classList.toggle('pointing', entity !== undefined || region !== undefined);
    const { tickHz } = scene.welcome;
    const text =
      entity === undefined
        ? region && regionText(region, tickHz)
        : glanceText(entity, scene.welcome);
    if (over !== undefined && text !== undefined) state.hovered.value = { id, ...over, text };
    else if (state.hovered.peek() !== undefined) state.hovered.value = undefined;
  }

  /** Lights a region as its row in the panel does; what is pointed at there stays. */
  #point(region: PlanRegion | undefined): void {
    if (region?.id === this.#region) return;
    this.#region = region?.id;
    state.pointed.value = region === undefined ? undefined : spotOf(region);
  }
}

const spotOf = ({ id }: PlanRegion) => ({ key: state.regionKey(id), regions: [id] });

/** A finger cannot hover: what it chooses is said, and stays lit until it is chosen again. */
function choose(region: PlanRegion, { welcome }: Scene): void {
  state.pin(spotOf(region));
  if (state.pinned.peek() !== undefined) state.notice.value = regionText(region, welcome.tickHz);
}
