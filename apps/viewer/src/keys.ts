/** Everything the map can do, from the keyboard. */
import { goBeside, toggleComparing } from './past.ts';
import * as state from './state.ts';

/** Pixels per key stroke. */
const STEP_PX = 80;
const ZOOM = 1.4;

export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      letGo(event);
      return;
    }
    // Letters act only where nobody can be writing or working on a control.
    if (!isOnMap(event.target)) return;
    const act = ACTIONS[event.key] ?? ACTIONS[event.key.toLowerCase()];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

const ACTIONS: Readonly<Record<string, () => void>> = {
  ArrowLeft: () => pan(-STEP_PX, 0),
  ArrowRight: () => pan(STEP_PX, 0),
  ArrowUp: () => pan(0, -STEP_PX),
  ArrowDown: () => pan(0, STEP_PX),
  '+': () => state.controls.value?.zoomBy(ZOOM),
  '=': () => state.controls.value?.zoomBy(ZOOM),
  '-': () => state.controls.value?.zoomBy(1 / ZOOM),
  '0': () => state.controls.value?.home(),
  n: () => state.controls.value?.selectBeside(1),
  p: () => state.controls.value?.selectBeside(-1),
  f: () => {
    if (state.selected.value !== 0) state.isFollowing.value = !state.isFollowing.value;
  },
  '[': () => goBeside(-1),
  ']': () => goBeside(1),
  c: toggleComparing,
  Enter: () => document.getElementById('inspector')?.focus(),
  '/': () => document.getElementById('search')?.focus(),
  '?': () => {
    state.isHelpOpen.value = true;
  },
};

function pan(xPx: number, yPx: number): void {
  state.isFollowing.value = false;
  state.controls.value?.panBy(xPx, yPx);
}

/** Closes what is open, innermost first; then lets go of the selection. */
function letGo(event: KeyboardEvent): void {
  if (state.isHelpOpen.value) return;
  const { activeElement } = document;
  if (activeElement instanceof HTMLInputElement) activeElement.blur();
  else if (state.pinned.value !== undefined) state.pinned.value = undefined;
  else if (state.selected.value !== 0) state.select(0);
  else return;
  document.getElementById('map')?.focus();
  event.preventDefault();
}

function isOnMap(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return true;
  return target === document.body || target.id === 'map';
}
