/** What is done with snapshots that are there: listed, shown, checked, moved about, removed. */
import { LeaseholdError } from '@leasehold/kernel';
import type { Retention, SnapshotSummary } from '@leasehold/snapshot-store';
import type { Output } from '../output.ts';
import { count, textTable } from '../text-table.ts';
import { withSnapshots } from './place.ts';

export type HomeFlags = { readonly home: string };

const TITLE = ['snapshot', 'world', 'taken at', 'tick', 'entities', 'cells', 'state'];
const LEFT: ReadonlySet<number> = new Set([0, 1, 2, 6]);

const shown = ({ takenAtMs, ...rest }: SnapshotSummary) => ({
  ...rest,
  takenAt: new Date(takenAtMs).toISOString(),
});

export function list(
  { world, ...flags }: HomeFlags & { readonly world: string | undefined },
  output: Output,
): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const found = (await snapshots.list(world)).map(shown);
    output.json({ snapshots: found });
    const rows = found.map(({ id, world: of, takenAt, tick, totals, state }) =>
      [
        id,
        of,
        takenAt.slice(0, 19),
        tick,
        totals?.entities ?? '-',
        totals?.cells ?? '-',
        state,
      ].map(String),
    );
    if (rows.length > 0) output.print(textTable([TITLE, ...rows], LEFT).join('\n'));
    else output.print('no snapshot was ever taken: leasehold snapshot create');
    return 0;
  });
}

export function show(flags: HomeFlags & { readonly id: string }, output: Output): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const summary = shown(await snapshots.get(flags.id));
    const facts = await snapshots.facts(flags.id);
    const counts = await snapshots.counts(flags.id);
    const { space, clock, manifestHash, format } = facts;
    output.json({ ...summary, space, clock, manifestHash, format, counts });
    const rows = [
      ['world', `${summary.world}, incarnation ${summary.incarnation}`],
      ['taken at', `${summary.takenAt}, tick ${summary.tick}, ${clock.mode} at ${clock.rateHz} Hz`],
      ['layers', summary.layers.join(', ')],
      ['space', `${space.kind}, cells of ${space.cell}`],
      [
        'entities',
        `${summary.totals?.entities ?? '-'}, ${summary.totals?.inFlight ?? 0} in flight`,
      ],
      ['cells', String(summary.totals?.cells ?? '-')],
      ['hash', summary.totals?.hash ?? '-'],
    ];
    output.print(output.colors.bold(summary.id));
    output.print(
      textTable([['', ''], ...rows], new Set([0, 1]))
        .slice(1)
        .join('\n'),
    );
    return 0;
  });
}

export function verify(
  flags: HomeFlags & { readonly id: string },
  output: Output,
): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const found = await snapshots.verify(flags.id);
    output.json({ id: flags.id, ...found });
    output.print(
      `${output.colors.bold(flags.id)} is whole: ${found.entities} entities, ${found.hash}`,
    );
    return 0;
  });
}

export type FileFlags = HomeFlags & { readonly file: string; readonly isGeoJson: boolean };

export function exportTo(
  { id, file, isGeoJson, ...flags }: FileFlags & { readonly id: string },
  output: Output,
): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    if (isGeoJson) await snapshots.exportGeoJsonFile(id, file);
    else await snapshots.exportFile(id, file);
    output.json({ id, file });
    output.print(`${output.colors.bold(id)} is in ${file}`);
    return 0;
  });
}

export function importFrom(
  { id, file, ...flags }: HomeFlags & { readonly file: string; readonly id: string | undefined },
  output: Output,
): Promise<number> {
  return withSnapshots(flags, output, async (snapshots) => {
    const found = await snapshots.importFile(file, id === undefined ? {} : { id });
    output.json(found);
    output.print(`${output.colors.bold(found.id)}: ${found.entities} entities of ${file}`);
    return 0;
  });
}

export function prune(
  flags: HomeFlags & Retention & { readonly world: string; readonly isSure: boolean },
  output: Output,
): Promise<number> {
  expectSure(flags.isSure, `snapshots of ${flags.world} would be gone`);
  return withSnapshots(flags, output, async (snapshots) => {
    const { world, keep, hourly, daily } = flags;
    const pruned = await snapshots.prune({
      world,
      ...(keep === undefined ? {} : { keep }),
      ...(hourly === undefined ? {} : { hourly }),
      ...(daily === undefined ? {} : { daily }),
    });
    output.json(pruned);
    const names = pruned.removed.length === 0 ? '' : `: ${pruned.removed.join(', ')}`;
    output.print(`${count(pruned.removed.length, 'snapshot')} removed${names}`);
    return 0;
  });
}

/** Throws `SETTING_INVALID`. */
export function expectSure(isSure: boolean, message: string): void {
  if (isSure) return;
  throw new LeaseholdError('SETTING_INVALID', message, {
    field: '--yes',
    value: '',
    remedy: 'Say that you are sure with --yes.',
  });
}
