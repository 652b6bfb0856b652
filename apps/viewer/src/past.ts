/** Which snapshots there are, asked now and then, and which of them, or now, is shown. */
import type { Snapshot, View } from '@leasehold/client';
import { effect } from '@preact/signals';
import { momentOf, timeText } from './moments.ts';
import * as state from './state.ts';

const ASK_MS = 5_000;

export function startPast(view: View): void {
  // A gateway that has none to show is not asked: its refusals would be faults of the page.
  effect(() => {
    const { limits, world } = state.welcome.value ?? {};
    if (world === undefined || (limits?.['snapshotsMax'] ?? 0) === 0) {
      show([]);
      return;
    }
    const ask = (): void => {
      if (!document.hidden) void view.snapshots().then(show, () => undefined);
    };
    ask();
    const timer = setInterval(ask, ASK_MS);
    return () => clearInterval(timer);
  });
}

function show(newestFirst: readonly Snapshot[]): void {
  const ids = (list: readonly Snapshot[]): string => list.map(({ id }) => id).join();
  const found = newestFirst.toReversed();
  if (ids(found) !== ids(state.snapshots.peek())) state.snapshots.value = found;
  // One that was removed is no longer there to be shown.
  const asOf = state.asOf.peek();
  if (asOf !== '' && !found.some(({ id }) => id === asOf)) state.asOf.value = '';
}

/** `index`: among the snapshots, oldest first; beyond the last one is now. */
export function goTo(index: number): void {
  const { value: list } = state.snapshots;
  const found = list[Math.max(0, index)];
  state.asOf.value = found?.id ?? '';
  if (found === undefined) state.isComparing.value = false;
}

/** `step` −1: to the snapshot before. Says where that is, as no control has the focus. */
export function goBeside(step: 1 | -1): void {
  const { value: list } = state.snapshots;
  if (list.length === 0) return;
  goTo(momentOf(list, state.asOf.value) + step);
  const { value: snapshot } = state.pastSnapshot;
  state.notice.value = snapshot === undefined ? 'The map shows now.' : timeText(snapshot);
}

export function toggleComparing(): void {
  if (state.asOf.value !== '') state.isComparing.value = !state.isComparing.value;
}
