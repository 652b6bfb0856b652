/**
 * Turns the tables in the code into the pages of `docs/reference`. Apps and higher packages may not
 * be imported here, so a process of its own reads their tables and prints them as JSON.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { assert, ERROR_CATALOGUE, type ErrorCode } from '@leasehold/kernel';
import { isTest, root, sourceFiles } from '../source-files.ts';
import {
  commandsPage,
  configPage,
  errorsPage,
  remediesIn,
  type Tables,
  worldPage,
} from './pages.ts';

/** Long enough for a busy machine; what reads the tables starts nothing. */
const TABLES_MS_MAX = 60_000;

/** Where the first remedy in the sources is a rare one, or is put together from parts. */
const CHOSEN: Partial<Readonly<Record<ErrorCode, string>>> = {
  AREA_INVALID: 'Give finite numbers in decimal digits.',
  BODY_MALFORMED: 'Run `leasehold audit` on the world; restore the cell from a snapshot.',
  COMPONENT_UNKNOWN: 'List it in components of the simulation.',
  DATABASE_AUTH: 'Correct user and password in DATABASE_URL.',
  DATABASE_MISSING: 'Create the database with createdb, or name another in DATABASE_URL.',
  DATABASE_REFUSED: 'Give the user of DATABASE_URL the right, or the server room.',
  DATABASE_TOO_OLD: 'Migrate the database: open it with this version once.',
  DATABASE_UNREACHABLE: 'Start the server, or correct host and port in DATABASE_URL.',
  MANIFEST_INVALID: 'Did you mean tickHz?',
  MODULE_INVALID: 'Write: export default simulation({ components, systems }).',
  PORT_IN_USE: 'End what listens on port 7310, or choose another.',
  POSTGIS_MISSING: 'Install PostGIS on the server, and as a superuser: CREATE EXTENSION postgis.',
  PREFAB_INVALID: 'Give a value that a f32 can hold.',
  READER_IDLE: 'Say hello within 5 s, keep a subscription, and answer pings.',
  READER_SLOW: 'Read faster, or subscribe to a smaller area, fewer components or a lower rate.',
  REDIS_TOO_OLD: 'Install Redis 7.0 or newer, or Valkey, and set REDIS_URL to it.',
  REPOSITORY_UNREADABLE: 'Name a folder in a git repository, or an http(s) URL of one.',
  SERVER_MISSING:
    'Install redis-server, or postgresql with PostGIS, or set REDIS_URL or DATABASE_URL.',
  SETTING_INVALID: 'Give a whole number from 1 to 64.',
  SNAPSHOT_UNKNOWN: 'Name one that is there: the newest are listed.',
  FILE_INVALID: 'Export the snapshot again, and compare the size of the file after it was copied.',
  SPATIAL_NOT_FINITE: 'Find the system that computes it; a position must stay a finite number.',
  SUBSCRIPTION_UNKNOWN: 'Subscribe first; a number is free again once it was unsubscribed.',
  SYSTEM_FAILED: 'Mend the system: it must not throw for any entity.',
  TOKEN_REFUSED: 'Open the address that was printed at the start, with all that follows #token=.',
  VIEW_MESSAGE_INVALID: 'Send one of hello, subscribe, area, unsubscribe, resync, status, ping.',
  VIEW_VERSION: 'Use client and gateway of the same release.',
  WORLD_MISSING: 'Give a folder that has a world.yaml, such as examples/flocking.',
  WORLD_UNKNOWN: 'Ask for the world that the gateway serves, or connect to another gateway.',
};

/** Generated files by their paths from the root of the repository. */
export function generate(): ReadonlyMap<string, string> {
  const script = join(root, 'scripts', 'tables.mjs');
  const tables = JSON.parse(
    execFileSync(process.execPath, [script], { encoding: 'utf8', timeout: TABLES_MS_MAX }),
  ) as Tables;
  const sources = sourceFiles('.ts')
    .filter(({ path }) => /^(packages|apps)\//.test(path) && !isTest(path))
    .map(({ text }) => text);
  const codes = Object.keys(ERROR_CATALOGUE);
  const remedies = new Map([...remediesIn(codes, sources), ...Object.entries(CHOSEN)]);
  for (const code of codes) assert(remedies.has(code), `${code} has no remedy to show`);
  return new Map([
    ['docs/reference/config.md', configPage(tables.settings)],
    ['docs/reference/commands.md', commandsPage(tables.help)],
    ['docs/reference/errors.md', errorsPage(ERROR_CATALOGUE, remedies)],
    ['docs/reference/world.md', worldPage(JSON.parse(tables.worldSchema), tables.spaceLimits)],
    ['docs/reference/world.schema.json', tables.worldSchema],
  ]);
}
