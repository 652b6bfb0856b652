/** The table of worlds: a row is a page of the registry. */
import { LeaseholdError } from '@leasehold/kernel';
import { EMPTY_PAGE, type RegistryPage, type RegistryRecord } from '@leasehold/protocol';
import type pg from 'pg';
import { withClient } from './connection.ts';

type WorldRow = {
  readonly last_incarnation: string;
  readonly ready: RegistryRecord | null;
  readonly seeding: RegistryRecord | null;
  readonly leftovers: readonly string[];
};

/** Names of all worlds that have a row, in order. */
export async function worldNames(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select name from leasehold.world order by name collate "C"',
  );
  return rows.map(({ name }) => name);
}

/** An empty page for a world that has no row. */
export async function readPage(client: pg.ClientBase, world: string): Promise<RegistryPage> {
  const { rows } = await client.query<WorldRow>(
    'select last_incarnation, ready, seeding, leftovers from leasehold.world where name = $1',
    [world],
  );
  const [row] = rows;
  if (row === undefined) return EMPTY_PAGE;
  return {
    last: Number(row.last_incarnation),
    ...(row.ready === null ? {} : { ready: row.ready }),
    ...(row.seeding === null ? {} : { seeding: row.seeding }),
    leftovers: row.leftovers.map(Number),
  };
}

export async function writePage(
  client: pg.ClientBase,
  world: string,
  { last, ready, seeding, leftovers }: RegistryPage,
): Promise<void> {
  await client.query(
    `insert into leasehold.world (name, last_incarnation, ready, seeding, leftovers)
     values ($1, $2, $3, $4, $5)
     on conflict (name) do update set
       last_incarnation = excluded.last_incarnation,
       ready = excluded.ready,
       seeding = excluded.seeding,
       leftovers = excluded.leftovers,
       changed_at = now()`,
    [world, last, ready ?? null, seeding ?? null, leftovers],
  );
}

/**
 * Takes over the pages of another registry, all or none. One that is here already is left as it is
 * when both say the same of its incarnation. Throws `INCARNATION_MISMATCH` when they do not, and
 * what `databaseFault` makes of failures.
 */
export function adoptPages(
  databaseUrl: string,
  pages: ReadonlyMap<string, RegistryPage>,
): Promise<void> {
  return withClient(databaseUrl, async (client) => {
    await client.query('begin');
    // In one order, so that two who do this at once do not wait for each other.
    for (const world of [...pages.keys()].sort()) {
      // The lock of a world as `locked` takes it, until the end of the transaction.
      await client.query(
        "select pg_advisory_xact_lock(hashtextextended('leasehold.world.' || $1::text, 0))",
        [world],
      );
      const theirs = pages.get(world) ?? EMPTY_PAGE;
      const ours = await readPage(client, world);
      if (ours.last === 0) await writePage(client, world, theirs);
      else refuseOther(world, ours, theirs);
    }
    await client.query('commit');
  });
}

function refuseOther(world: string, ours: RegistryPage, theirs: RegistryPage): void {
  const [one, other] = [ours, theirs].map(recordText);
  if (one === other) return;
  const message =
    `PostgreSQL says that world ${world} is ${one}, and the registry of this home ` +
    `that it is ${other}`;
  throw new LeaseholdError('INCARNATION_MISMATCH', message, {
    field: 'LEASEHOLD_HOME',
    value: world,
    remedy:
      'Remove the world that is not wanted: leasehold world delete, with DATABASE_URL for the one ' +
      'in PostgreSQL, without it for the one of this home.',
  });
}

/** Two seedings may have one number, if they come from two registries; never the moment as well. */
function recordText({ last, ready, seeding }: RegistryPage): string {
  const record = ready ?? seeding;
  if (record === undefined) return `gone (incarnation ${last} was its last)`;
  return `of incarnation ${record.incarnation}, ${record.state} since ${record.seededAt}`;
}
