/** `leasehold snapshot diff`: what came, went and changed between two snapshots, or since one. */
import type { EntityDifference, SnapshotStore } from '@leasehold/snapshot-store';
import type { Output } from '../output.ts';
import { textTable } from '../text-table.ts';
import { withSnapshots } from './place.ts';
import { takeNow } from './restore.ts';

export type DiffFlags = {
  readonly home: string;
  readonly from: string;
  /** undefined: the world as it is now. */
  readonly to: string | undefined;
  readonly limit: number;
  readonly isGeoJson: boolean;
};

/** Exit code 0 also where they differ: the report says so. */
export async function diff(flags: DiffFlags, output: Output): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    if (flags.to !== undefined) return tell(flags, flags.to, snapshots, output);
    const { world } = await snapshots.get(flags.from);
    const now = await takeNow({ home: flags.home, world }, snapshots, output);
    try {
      return await tell(flags, now, snapshots, output);
    } finally {
      await snapshots.remove(now);
    }
  });
}

async function tell(
  flags: DiffFlags,
  to: string,
  snapshots: SnapshotStore,
  output: Output,
): Promise<number> {
  const counts = { added: 0, removed: 0, changed: 0 };
  const shown: EntityDifference[] = [];
  for await (const difference of snapshots.diff(flags.from, to)) {
    counts[difference.kind]++;
    if (shown.length < flags.limit) shown.push(difference);
  }
  if (flags.isGeoJson) {
    output.jsonLine(await collectionOf(snapshots, { from: flags.from, to }, shown));
    return 0;
  }
  output.json({ from: flags.from, to: flags.to ?? 'now', ...counts, differences: shown });
  const rows = shown.map((each) => [MARKS[each.kind], String(each.id), wordsOf(each)]);
  if (rows.length > 0) {
    output.print(textTable([['', 'entity', 'what'], ...rows], new Set([0, 2])).join('\n'));
  }
  const { added, removed, changed } = counts;
  output.print(`${added} added, ${removed} removed, ${changed} changed`);
  return 0;
}

const MARKS = { added: '+', removed: '-', changed: '~' } as const;
const WORDS_MAX = 90;

function wordsOf(difference: EntityDifference): string {
  const words =
    difference.kind === 'changed'
      ? difference.fields
          .map(({ component, field, before, after }) => {
            const name = field === undefined ? component : `${component}.${field}`;
            return `${name}: ${JSON.stringify(before) ?? 'none'} → ${JSON.stringify(after) ?? 'none'}`;
          })
          .join(', ')
      : Object.keys(difference.components).join(', ');
  return words.length > WORDS_MAX ? `${words.slice(0, WORDS_MAX - 1)}…` : words;
}

const pointOf = (x: number, y: number | null) => ({ type: 'Point', coordinates: [x, y] });

/** Where each is, or was. */
async function collectionOf(
  snapshots: SnapshotStore,
  { from, to }: { readonly from: string; readonly to: string },
  differences: readonly EntityDifference[],
) {
  const placesOf = async (id: string, of: readonly EntityDifference[]) => {
    const ids = of.map((each) => each.id);
    const found = ids.length === 0 ? [] : await snapshots.entities(id, { ids, limit: ids.length });
    return new Map(found.map(({ id: of, x, y }) => [of, x === null ? null : pointOf(x, y)]));
  };
  const gone = await placesOf(
    from,
    differences.filter(({ kind }) => kind === 'removed'),
  );
  const here = await placesOf(
    to,
    differences.filter(({ kind }) => kind !== 'removed'),
  );
  const features = differences.map(({ id, ...properties }) => ({
    ...{ type: 'Feature', id },
    geometry: (properties.kind === 'removed' ? gone : here).get(id) ?? null,
    properties,
  }));
  return { type: 'FeatureCollection', features };
}
