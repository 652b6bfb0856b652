/** What a subscription wants of the rows in its area: which components, and of whom. */
import { LeaseholdError } from '@leasehold/kernel';
import { componentIndex, type LayerSchema } from '@leasehold/protocol';
import { type Selection, type ViewShape, viewShape } from '@leasehold/protocol/view';

export type Chosen = {
  /** Equal for selections that get the same bytes. */
  readonly key: string;
  readonly shape: ViewShape;
  /** Layer bits that a row must have, all of them. */
  readonly mask: number;
};

/** Throws `COMPONENT_UNKNOWN`, naming `components` or `with`. */
export function chosenOf(schema: LayerSchema, { components, with: having }: Selection): Chosen {
  const shape = viewShape(schema.components, components);
  let mask = 0;
  for (const name of having ?? []) {
    const index = componentIndex(schema, name);
    if (index < 0) throw unknown(schema, name);
    mask |= 1 << index;
  }
  const key = `${shape.components.map(({ name }) => name).join(',')}|${mask >>> 0}`;
  return { key, shape, mask: mask >>> 0 };
}

function unknown(schema: LayerSchema, name: string): LeaseholdError {
  return new LeaseholdError('COMPONENT_UNKNOWN', `no component is called ${name}`, {
    field: 'with',
    value: name,
    remedy: `Components are ${schema.components.map((each) => each.name).join(', ')}.`,
  });
}
