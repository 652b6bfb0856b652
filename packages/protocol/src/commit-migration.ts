/** A commit of an older schema in terms of a newer one, so that followers keep one schema. */
import type { CommitBody, FieldChange } from './commit.ts';
import {
  checkPosition,
  migrate,
  migratedColumn,
  migratedMask,
  planMigration,
} from './evolution.ts';
import type { ComponentSchema, FieldSchema, LayerSchema } from './schema.ts';
import { isSpatial } from './values.ts';

/** The commit itself if it is in the schema already. Throws as `migrate`. */
export function migratedCommit(body: CommitBody, to: LayerSchema): CommitBody {
  if (body.schema.hash === to.hash) return body;
  const plan = planMigration(body.schema, to);
  const changes: FieldChange[] = [];
  for (const { component, field, set, values } of body.changes) {
    const move = plan[component];
    const target = move?.fields[field] ?? -1;
    if (move === undefined || target < 0) continue;
    const from = body.schema.components[component]?.fields[field] as FieldSchema;
    const newer = to.components[move.component] as ComponentSchema;
    const into = newer.fields[target] as FieldSchema;
    const moved = migratedColumn(values, from.kind, into.kind);
    if (isSpatial(newer, into)) {
      for (const value of moved) checkPosition(`${newer.name}.${into.name}`, value as number);
    }
    changes.push({ component: move.component, field: target, set, values: moved });
  }
  const masks = body.masks && {
    set: body.masks.set,
    values: body.masks.values.map((mask) => migratedMask(plan, mask)),
  };
  return {
    ...body,
    schema: to,
    births: migrate(body.births, to),
    arrivalRows: body.arrivalRows.map((rows) => migrate(rows, to)),
    masks,
    changes,
  };
}
