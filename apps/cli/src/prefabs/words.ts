/** How prefabs, their versions and what changes between these are shown. */
import type { Descent, PrefabDifference, PrefabPlan } from '@leasehold/prefabs';
import type { Colors } from '../output.ts';
import { count, plain } from '../text-table.ts';
import type { LiveReport } from './act.ts';

const IDS_SHOWN_MAX = 8;
const AREAS_SHOWN_MAX = 5;
const MARKS = { added: '+', changed: '~', removed: '-' } as const;

export const shortCommit = (commit: string): string =>
  commit === '' ? 'nothing' : commit.slice(0, 12);

export function planLines(
  { world, from, to, differences }: PrefabPlan,
  descents: readonly Descent[],
  { bold, green, yellow, red }: Colors,
): string[] {
  const what = differences.length === 0 ? ': the prefabs are the same' : '';
  const paint = { added: green, changed: yellow, removed: red };
  return [
    `${bold(world)}  ${shortCommit(from)} → ${shortCommit(to)}${what}`,
    ...differences.flatMap((difference) => {
      const { name, kind } = difference;
      const descent = descents.find(({ prefab }) => prefab === name);
      return [
        `  ${paint[kind](`${MARKS[kind]} ${name}`)}`,
        ...fieldLines(difference),
        ...(descent === undefined ? [] : descentLines(descent, kind)),
      ];
    }),
  ];
}

const fieldLines = ({ fields }: PrefabDifference): string[] =>
  fields.map(({ field, was, is }) => `      ${field}  ${shown(was)} → ${shown(is)}`);

const shown = (value: unknown): string => plain(JSON.stringify(value) ?? 'nothing');

function descentLines(
  { count: living, ids, areas }: Descent,
  kind: PrefabDifference['kind'],
): string[] {
  const first = ids.slice(0, IDS_SHOWN_MAX).join(', ');
  const more = living > IDS_SHOWN_MAX ? ', …' : '';
  const places = areas.slice(0, AREAS_SHOWN_MAX).map(({ minX, minY, size, count: there }) => {
    return `${there} in ${minX},${minY} … ${minX + size},${minY + size}`;
  });
  const others =
    areas.length > AREAS_SHOWN_MAX ? `, and ${areas.length - AREAS_SHOWN_MAX} more` : '';
  const stay = kind === 'removed' ? ', which stay as they are' : '';
  return [
    `      ${count(living, 'living descendant')}${stay}: ${first}${more}`,
    `      in ${count(areas.length, 'cell')}: ${places.join('; ')}${others}`,
  ];
}

export function liveLines({ patches, posted, kept, unknown }: LiveReport): string[] {
  const lines = [`  ${posted} of ${count(patches, 'living descendant')} asked to change`];
  if (posted < patches) {
    lines.push(`  ${patches - posted} inboxes were full for long: apply it again with --live`);
  }
  if (kept > 0) lines.push(`  ${kept} kept as they are: all that would change was changed since`);
  if (unknown > 0) lines.push(`  ${unknown} left alone: their version is gone from the repository`);
  return lines;
}
