/** How many there are of each kind, for curves: a component without fields says what somebody is. */
import type { LayerSchema } from '@leasehold/protocol';
import type { Following } from './following.ts';

/** More curves than that nobody tells apart. */
const KINDS_MAX = 8;

type Kind = { readonly name: string; readonly bit: number };

/** Components of a schema that are kinds, the engine's own and copies left out. */
export function kindsOf({ components }: LayerSchema): readonly Kind[] {
  const kinds = components.flatMap(({ name, fields, copyOf }, c) =>
    fields.length === 0 && copyOf === undefined && !name.startsWith('_')
      ? [{ name, bit: 2 ** c }]
      : [],
  );
  return kinds.slice(0, KINDS_MAX);
}

/** Of all who are shown, those between two cells included. */
export function countKinds(
  kinds: readonly Kind[],
  { cells }: Pick<Following, 'cells'>,
): Record<string, number> {
  const counts = new Uint32Array(kinds.length);
  for (const { live } of cells.values()) {
    const { masks, count } = live.rows;
    for (const [k, { bit }] of kinds.entries()) {
      let sum = 0;
      for (let row = 0; row < count; row++) if (((masks[row] as number) & bit) !== 0) sum++;
      counts[k] = (counts[k] as number) + sum;
    }
  }
  return Object.fromEntries(kinds.map(({ name }, k) => [name, counts[k] as number]));
}
