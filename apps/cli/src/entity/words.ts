/** What entities and letters look like in a terminal. */
import type { Colors } from '../output.ts';
import { plain, textTable } from '../text-table.ts';
import type { Values } from './values.ts';

/** As the API answers it. */
export type Entity = {
  readonly id: number;
  readonly cell: number;
  readonly tick?: number;
  readonly x?: number;
  readonly y?: number;
  readonly distance?: number;
  readonly components: Values;
};

/** What the product itself keeps of an entity: for --json alone. */
const isOwn = ([component]: readonly [string, unknown]): boolean => component.startsWith('_');
const shownOf = (components: Values) => Object.entries(components).filter((each) => !isOwn(each));

/** In a table; what is longer is cut, as --json has it all. */
const CELL_TEXT_MAX = 24;
const DIGITS = 6;

export function entityLines(world: string, entity: Entity, { bold, dim }: Colors): string[] {
  const { id, cell, tick, components } = entity;
  const at = tick === undefined ? '' : `, tick ${tick}`;
  const rows = shownOf(components).flatMap(([component, fields]) => {
    const all = Object.entries(fields);
    if (all.length === 0) return [[component, '']];
    return all.map(([field, value]) => [`${component}.${field}`, textOf(value)]);
  });
  return [
    `${bold(`entity ${id}`)} ${dim(`of ${world}, cell ${cell}${at}`)}`,
    ...textTable(rows, new Set([0, 1])),
  ];
}

/** In one line: where it is and what it is. */
export function entityLine({ cell, tick, components }: Entity): string {
  const values = shownOf(components).flatMap(([component, fields]) =>
    Object.entries(fields).map(([field, value]) => `${component}.${field}=${short(value)}`),
  );
  return `tick ${tick ?? '?'}  cell ${cell}  ${values.join('  ')}`;
}

/**
 * Entities as a table no wider than asked for: columns that do not fit are left out, and how many
 * they are is said in `left`.
 */
export function entityTable(
  entities: readonly Entity[],
  columns: number,
): { readonly lines: string[]; readonly left: number } {
  const hasDistance = entities.some(({ distance }) => distance !== undefined);
  const fixed = ['id', 'cell', ...(hasDistance ? ['distance'] : [])];
  const paths = new Map<string, readonly [string, string]>();
  for (const { components } of entities) {
    for (const [component, fields] of shownOf(components)) {
      for (const field of Object.keys(fields))
        paths.set(`${component}.${field}`, [component, field]);
    }
  }
  const rows = entities.map(({ id, cell, distance, components }) => [
    ...[String(id), String(cell)],
    ...(hasDistance ? [short(distance)] : []),
    ...[...paths.values()].map(([component, field]) => short(components[component]?.[field])),
  ]);
  const all = [[...fixed, ...paths.keys()], ...rows];
  const shown = fitting(all, columns, fixed.length);
  const lines = textTable(
    all.map((row) => row.slice(0, shown)),
    new Set(),
  );
  return { lines, left: fixed.length + paths.size - shown };
}

/** How many columns fit, and never fewer than `least`. */
function fitting(rows: readonly (readonly string[])[], width: number, least: number): number {
  let used = 0;
  const count = rows[0]?.length ?? 0;
  for (let column = 0; column < count; column++) {
    used += 2 + Math.max(...rows.map((row) => row[column]?.length ?? 0));
    if (used > width && column >= least) return column;
  }
  return count;
}

const textOf = (value: unknown): string =>
  plain(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** A number to as many digits as tell places apart; texts as much as fits. */
export function short(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    return String(Number(value.toPrecision(DIGITS)));
  }
  const text = textOf(value);
  return text.length > CELL_TEXT_MAX ? `${text.slice(0, CELL_TEXT_MAX - 1)}…` : text;
}
