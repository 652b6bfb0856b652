/** A row as people and other programs see it: values by component name, then by field name. */

import type { Json } from './json.ts';
import { isOwnComponent } from './own-components.ts';
import type { ComponentValues } from './request.ts';
import type { Table } from './table.ts';

/** The layer's own components of a row, all or those that are wanted. */
export function componentsOf(
  { schema, masks, columns }: Table,
  row: number,
  wanted?: ReadonlySet<string>,
): ComponentValues {
  const mask = masks[row] as number;
  const values: Record<string, Record<string, Json>> = {};
  for (const [c, component] of schema.components.entries()) {
    if (((mask >>> c) & 1) === 0 || wanted?.has(component.name) === false) continue;
    if (!isOwnComponent(component)) continue;
    const fields: Record<string, Json> = {};
    for (const [f, field] of component.fields.entries()) {
      const value = columns[c]?.[f]?.[row] as Json;
      fields[field.name] = field.kind === 'bool' ? value === 1 : value;
    }
    values[component.name] = fields;
  }
  return values;
}
