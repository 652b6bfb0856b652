import { useEffect, useRef } from 'preact/hooks';
import { isHelpOpen } from '../state.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['← ↑ → ↓', 'move the map'],
  ['+ −', 'zoom'],
  ['0', 'show the whole world'],
  ['N, P', 'select the next or previous entity on the map'],
  ['Enter', 'go to the components of the selected entity'],
  ['F', 'follow the selected entity'],
  ['/', 'search by id'],
  ['[ ]', 'show the snapshot before or after; after the last one is now'],
  ['C', 'compare the snapshot with now, or stop that'],
  ['Esc', 'let go of regions that are lit, then of the selection'],
  ['?', 'this help'],
];

/** Explains the page in a minute; a dialog of the browser's own, which keeps the focus. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <h2 id="help-title">What you see</h2>
      <p>
        A world lives in a database. It is divided into cells; each is held by one <b>pod</b>, a
        process that moves what is in it and owns nothing. Cells have the colour and the number of
        their pod; a hatched cell is held by nobody.
      </p>
      <p>
        Kill a pod: its cells flash, other pods take them within a moment, and what was in them goes
        on. The events tell how long that took, and the auditor, who reads the database by itself,
        whether anything was lost.
      </p>
      <p>
        Where an authority plans, each pod is to hold one <b>region</b> or more: outlines with what
        they cost. A cell with a dot sleeps, because nothing happens in it. Point at an entry of the
        journal, or choose it, and the regions that it is about are lit.
      </p>
      <p>
        Where snapshots were taken, a slider goes through them to now. What is of the past has a
        colour of its own; <b>compare</b> shows now beside it, on the right of a divider.
      </p>
      <h3>Keys, while the map has the focus</h3>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key} class="key">
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <button
        type="button"
        class="primary"
        onClick={() => {
          isHelpOpen.value = false;
        }}
      >
        Close
      </button>
    </dialog>
  );
}
