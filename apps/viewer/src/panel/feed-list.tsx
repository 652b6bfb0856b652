import type { FeedLine } from '../feed.ts';
import { feedLines } from '../state.ts';

const TONE_TEXT: Readonly<Record<FeedLine['tone'], string>> = {
  death: '†',
  good: '✓',
  bad: '!',
  note: '·',
};

/** What happened, newest first; read out when something is added. */
export function FeedList() {
  return (
    <section class="feed" aria-labelledby="feed-title">
      <h2 id="feed-title">Events</h2>
      <div role="log" aria-live="polite" aria-labelledby="feed-title" data-testid="feed">
        {feedLines.value.length === 0 && <p class="hint">Nothing has happened yet.</p>}
        <ol>
          {feedLines.value.map((line) => (
            <li key={line.key} class={line.tone} data-tone={line.tone}>
              <span class="sign" aria-hidden="true">
                {TONE_TEXT[line.tone]}
              </span>
              <span>{line.text}</span>
              <time dateTime={new Date(line.atMs).toISOString()}>{clockText(line.atMs)}</time>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

const clockText = (atMs: number): string => new Date(atMs).toTimeString().slice(0, 8);
