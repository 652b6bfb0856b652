/** Hovering and choosing entities with mouse, pen and finger. */
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
      state.select(sceneNow()?.idAt(xPx, yPx, within) ?? 0);
    });
  }

  /** Once per frame; looks only now and then. */
  hover(scene: Scene, nowMs: number): void {
    if (nowMs - this.#hoveredAtMs < HOVER_EVERY_MS) return;
    this.#hoveredAtMs = nowMs;
    const over = this.#over;
    const id = over === undefined ? 0 : scene.idAt(over.xPx, over.yPx, WITHIN_PX.mouse);
    scene.marks.hovered = id;
    const entity = id === 0 ? undefined : scene.subscription.get(id);
    if (over === undefined || entity === undefined) {
      if (state.hovered.peek() !== undefined) state.hovered.value = undefined;
      this.#host.classList.remove('pointing');
      return;
    }
    this.#host.classList.add('pointing');
    state.hovered.value = { id, ...over, text: glanceText(entity, scene.welcome) };
  }
}
