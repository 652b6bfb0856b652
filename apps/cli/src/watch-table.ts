/** What `leasehold watch` shows on a terminal: figures on top, then entities by id. */
import type { Entity, FieldValue, Subscription, View } from '@leasehold/client';
import type { Colors } from './output.ts';

/** More than the tallest terminal; whatever is below its end is cut. */
const ROWS_MAX = 200;
const FIELDS_MAX = 8;
const TEXT_MAX = 16;

export type WatchFacts = {
  readonly view: Pick<View, 'state' | 'url' | 'welcome' | 'latencyMs'>;
  readonly subscription: Pick<Subscription, 'size' | 'tick' | 'isLive' | 'ids' | 'get'>;
  readonly area: string;
  readonly updatesPerS: number;
};

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

function state({ view, subscription }: WatchFacts): string {
  if (view.state === 'open') return subscription.isLive ? 'live' : 'being told';
  return view.state === 'waiting' ? 'no gateway, trying again' : view.state;
}

/** One line for outputs that cannot be redrawn. */
export function plainLine(facts: WatchFacts): string {
  const { view, subscription, updatesPerS } = facts;
  const { latencyMs } = view;
  const latency = Number.isNaN(latencyMs) ? '' : `, ${latencyMs.toFixed(0)} ms behind`;
  return (
    `${state(facts)}, tick ${subscription.tick}, ` +
    `${count(subscription.size, 'entity', 'entities')}, ` +
    `${updatesPerS.toFixed(0)} updates/s${latency}`
  );
}

export function tableLines(facts: WatchFacts, colors: Colors): string[] {
  const { bold, dim, green, yellow } = colors;
  const { view, subscription, area } = facts;
  const paint = view.state === 'open' && subscription.isLive ? green : yellow;
  const ids = [...subscription.ids()].sort((a, b) => a - b).slice(0, ROWS_MAX);
  const entities = ids.flatMap((id) => subscription.get(id) ?? []);
  const spatial = view.welcome?.spatial ?? undefined;
  const fields = fieldsOf(entities, spatial);
  const table = [
    ['id', 'cell', 'tick', ...fields.map(({ title }) => title)],
    ...entities.map((entity) => [
      String(entity.id),
      String(entity.cell),
      String(entity.tick),
      ...fields.map(({ component, field }) => shown(entity.components[component]?.[field])),
    ]),
  ];
  const widths = (table[0] ?? []).map((_, i) =>
    Math.max(...table.map((row) => (row[i] as string).length)),
  );
  const [title = '', ...rows] = table.map(
    (row) => `  ${row.map((text, i) => text.padStart(widths[i] as number)).join('  ')}`,
  );
  return [
    `${bold(view.welcome?.world ?? 'connecting')}  ${area}, from ${view.url}`,
    `  ${paint(plainLine(facts))}`,
    ...(rows.length === 0 ? [] : [dim(title), ...rows]),
    ...(subscription.size > rows.length && rows.length > 0
      ? [dim(`  and ${subscription.size - rows.length} more`)]
      : []),
  ];
}

type ShownField = { readonly title: string; readonly component: string; readonly field: string };

/** Position first, then a few others in the order of their names. */
function fieldsOf(
  entities: readonly Entity[],
  spatial: { readonly component: string; readonly x: string; readonly y: string } | undefined,
): ShownField[] {
  const found = new Map<string, ShownField>();
  const add = (component: string, field: string, title: string): void => {
    if (!found.has(`${component}.${field}`)) {
      found.set(`${component}.${field}`, { component, field, title });
    }
  };
  const isSent = entities.some(({ components }) => spatial && spatial.component in components);
  if (spatial !== undefined && isSent) {
    add(spatial.component, spatial.x, 'x');
    add(spatial.component, spatial.y, 'y');
  }
  for (const { components } of entities) {
    for (const [component, fields] of Object.entries(components)) {
      for (const field of Object.keys(fields)) add(component, field, `${component}.${field}`);
    }
  }
  return [...found.values()].slice(0, FIELDS_MAX);
}

function shown(value: FieldValue | undefined): string {
  if (value === undefined) return '-';
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : value.toFixed(3);
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // What a world holds is not to move the cursor of whoever watches it.
  return text.replace(/\p{C}/gu, '·').slice(0, TEXT_MAX);
}
