/** `leasehold snapshot restore --area`: a part of a running world becomes what it was. */
import { systemClock } from '@leasehold/service';
import { type AreaPlan, planArea, restoreArea } from '@leasehold/snapshots';
import { withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { expectInside, readArea } from './area-file.ts';
import { expectSure } from './keep.ts';
import { withSnapshots } from './place.ts';
import { type RestoreFlags, takeNow } from './restore.ts';

/** More are counted and not named: whoever wants all of them asks for a diff. */
const LISTED_MAX = 1_000;

/** Exit code 1 when some of it was refused, as it went or died meanwhile. */
export async function restorePart(
  { area: text, ...flags }: RestoreFlags & { readonly area: string },
  output: Output,
): Promise<number> {
  const drawn = readArea(text);
  return withSnapshots(flags, output, async (snapshots) => {
    const { world } = await snapshots.facts(flags.id);
    return withWorld({ world, home: flags.home }, output, async (open) => {
      expectInside(open.grid, drawn);
      const now = await takeNow({ home: flags.home, world }, snapshots, output);
      let plan: AreaPlan;
      try {
        plan = await planArea(snapshots, { then: flags.id, now, area: drawn.area });
      } finally {
        await snapshots.remove(now);
      }
      const counts = countsOf(plan);
      output.print(
        `${counts.births} would be born again, ${counts.deaths} would go, ${counts.changes} would ` +
          `change, ${counts.same} are as they were; ${counts.elsewhere} live elsewhere now and stay there`,
      );
      if (flags.isDryRun) {
        output.json({ id: flags.id, world, ...counts, entities: listed(plan) });
        return 0;
      }
      expectSure(flags.isSure, `a part of ${world} would be replaced by what it was`);
      const done = await restoreArea(
        {
          ...{ store: open.store, grid: open.grid, clock: systemClock },
          progress: ({ answered, total }) =>
            output.live([`  ${answered} of ${total} requests answered`]),
        },
        plan,
      );
      output.json({ id: flags.id, world, ...counts, ...done });
      const { born, died, changed, refused, reasons } = done;
      output.print(`${born} born, ${died} gone, ${changed} changed, ${refused} refused`);
      for (const why of reasons) output.print(`  refused: ${why}`);
      return refused > 0 ? 1 : 0;
    });
  });
}

function countsOf({ births, deaths, changes, same, elsewhere }: AreaPlan) {
  return {
    ...{ births: births.length, deaths: deaths.length, changes: changes.length },
    ...{ same, elsewhere: elsewhere.length },
  };
}

/** Who it is about, the first of each kind. */
function listed({ births, deaths, changes, elsewhere }: AreaPlan) {
  const idOf = ({ id }: { readonly id: number }): number => id;
  return {
    births: births.slice(0, LISTED_MAX).map(idOf),
    deaths: deaths.slice(0, LISTED_MAX).map(idOf),
    changes: changes.slice(0, LISTED_MAX).map(({ id, set, remove }) => {
      return { id, set: Object.keys(set), remove };
    }),
    elsewhere: elsewhere.slice(0, LISTED_MAX),
  };
}
