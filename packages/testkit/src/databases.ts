/** Databases that tests make beside each other on one server, and drop again. */
import pg from 'pg';

/** Creates it, as a copy of `template` if one is named, and returns its address. */
export async function createDatabase(
  databaseUrl: string,
  name: string,
  template = 'template0',
): Promise<string> {
  // Names cannot be parameters of such statements.
  const [named, copied] = [name, template].map(pg.escapeIdentifier);
  await withDatabase(databaseUrl, (client) =>
    client.query(`create database ${named} template ${copied}`),
  );
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Drops it, and ends whoever is still connected. */
export async function dropDatabase(databaseUrl: string, name: string): Promise<void> {
  await withDatabase(databaseUrl, (client) =>
    client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
  );
}

/** Who is connected to one of these databases, one line each. */
export function connectionsTo(databaseUrl: string, names: readonly string[]): Promise<string[]> {
  return withDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query<{ line: string }>(
      `select concat_ws(' ', pid, application_name, state, left(query, 80)) as line
         from pg_stat_activity where datname = any ($1) and backend_type = 'client backend'`,
      [names],
    );
    return rows.map(({ line }) => line);
  });
}

/** Runs `work` on a connection of its own. */
export async function withDatabase<T>(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // What runs meanwhile hears of it.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}
