/** How differences of a world, and what becomes of them, are shown. */
import type { Change, Effect } from '@leasehold/world';
import type { Colors } from '../output.ts';
import { count, textTable } from '../text-table.ts';
import type { Comparison } from './compare.ts';

const WHEN: Readonly<Record<Effect, string>> = {
  now: 'at once',
  start: 'with the next start',
  rest: 'at once, as no pod is there',
  refused: 'refused',
};

/** Two lines for each: what it is, and below it what becomes of it and why. */
export function changeLines(changes: readonly Change[], colors: Colors): string[] {
  const rows = changes.map(({ field, was, is }) => [field, `${was} → ${is}`]);
  const lines = textTable([['', ''], ...rows], new Set([0, 1])).slice(1);
  return changes.flatMap(({ effect, reason }, i) => {
    const mark = effect === 'refused' ? colors.red : colors.dim;
    return [lines[i] as string, `    ${mark(`${WHEN[effect]}: ${reason}`)}`];
  });
}

/** Who runs which module. */
export function podLines({ world, module, pods, olderPods }: Comparison): string[] {
  const version = `module ${module.version}`;
  if (pods.length === 0) return [`  ${version}; no pod is there`];
  if (olderPods.length === 0) return [`  ${version}, which ${count(pods.length, 'pod')} run`];
  return [
    `  ${version}; ${olderPods.length} of ${count(pods.length, 'pod')} still run another, or other settings: ` +
      olderPods.join(', '),
    `  Restart them one by one with leasehold world upgrade, or leasehold drain --world ${world}.`,
  ];
}
