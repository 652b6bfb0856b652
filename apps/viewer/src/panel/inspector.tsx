import { useEffect, useRef } from 'preact/hooks';
import { valueText, whole } from '../format.ts';
import { inspection, inspectionFault, isFollowing, select, selected } from '../state.ts';
import { Icon } from './icon.tsx';

/** Values longer than this are folded. */
const INLINE_CHARS_MAX = 80;

/** The selected entity with all its components. */
export function Inspector() {
  const top = useRef<HTMLElement>(null);
  const id = selected.value;
  useEffect(() => {
    if (id !== 0) top.current?.scrollIntoView({ block: 'nearest' });
  }, [id]);
  if (id === 0) return null;
  const found = inspection.value;
  return (
    <section
      ref={top}
      id="inspector"
      class="inspector"
      aria-labelledby="inspector-title"
      data-testid="inspector"
      tabIndex={-1}
    >
      <div class="inspector-head">
        <h2 id="inspector-title">Entity {String(id)}</h2>
        <button
          type="button"
          class="toggle"
          aria-pressed={isFollowing.value}
          onClick={() => {
            isFollowing.value = !isFollowing.value;
          }}
        >
          Follow
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Close the inspector"
          onClick={() => select(0)}
        >
          <Icon name="close" />
        </button>
      </div>
      {inspectionFault.value !== '' && <p class="fault">{inspectionFault.value}</p>}
      {found === undefined && inspectionFault.value === '' && <p class="hint">Asking …</p>}
      {found !== undefined && (
        <>
          <p class="hint">
            cell {found.cell} · tick {whole(found.tick)}
          </p>
          {Object.entries(found.components).map(([name, fields]) => (
            <Component key={name} name={name} fields={fields} />
          ))}
        </>
      )}
    </section>
  );
}

function Component({ name, fields }: { name: string; fields: Readonly<Record<string, unknown>> }) {
  return (
    <div class="component">
      <h3>{name}</h3>
      <dl>
        {Object.entries(fields).map(([field, value]) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>
              <FieldValue value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function FieldValue({ value }: { value: unknown }) {
  const text = valueText(value);
  if (text.length <= INLINE_CHARS_MAX && !text.includes('\n')) return <>{text}</>;
  const summary = Array.isArray(value) ? `${whole(value.length)} entries` : 'show';
  return (
    <details>
      <summary>{summary}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also without a mouse */}
      <pre tabIndex={0}>{text}</pre>
    </details>
  );
}
