import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from './index.ts';
import { findPostgres } from './postgres-binary.ts';
import { findOrInstallPostgres } from './postgres-install.ts';

const canInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-servers-'));
  // Programs of PostgreSQL are asked under an account that must get through here.
  chmodSync(folder, 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(place: string, name: string, script: string): void {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** What looks like an installation of that version, as Debian has them. */
function fakePostgres(major: number, hasPostgis: boolean): string {
  const place = join(folder, 'debian', String(major));
  const share = join(place, 'share');
  program(join(place, 'bin'), 'postgres', `echo "postgres (PostgreSQL) ${major}.4"`);
  program(join(place, 'bin'), 'initdb', `echo "share_path=${share}" >&2`);
  mkdirSync(join(share, 'extension'), { recursive: true });
  if (hasPostgis) writeFileSync(join(share, 'extension', 'postgis.control'), '');
  return join(place, 'bin');
}

test('DATABASE_URL wins over everything, and closing leaves it alone', async () => {
  const databaseUrl = 'postgresql://me:secret@elsewhere:7000/db';
  const lines: string[] = [];
  const env = { DATABASE_URL: databaseUrl, PATH: folder };
  const log = (line: string): void => void lines.push(line);
  const server = await openDatabase({ home: join(folder, 'home'), env, log });
  expect(server).toMatchObject({ kind: 'given', databaseUrl });
  await server.close();
  expect(lines.join()).not.toContain('secret');
  expect(existsSync(join(folder, 'home'))).toBe(false);
});

test('SETTING_INVALID: a DATABASE_URL that is none is refused and not shown', async () => {
  for (const url of ['localhost:5432', 'mysql://me:secret@localhost', 'nonsense secret']) {
    const opening = openDatabase({ home: folder, env: { DATABASE_URL: url } });
    await expect(opening).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      detail: { field: 'DATABASE_URL', value: '' },
    });
    await expect(opening).rejects.not.toThrow('secret');
  }
});

test('the newest version with PostGIS is taken, and what made the cluster before it', async () => {
  const debian = join(folder, 'debian');
  const [old, good, newer] = [
    fakePostgres(12, true),
    fakePostgres(14, true),
    fakePostgres(16, true),
  ];
  fakePostgres(17, false);
  const reasons: string[] = [];
  const found = (wanted?: number) => findPostgres('', reasons, { debian, wanted });
  expect(await found()).toEqual({ folder: newer, major: 16 });
  expect(reasons).toEqual([expect.stringContaining('PostgreSQL 17')]);
  expect(reasons[0]).toContain('has no PostGIS');
  expect(await found(14)).toEqual({ folder: good, major: 14 });
  rmSync(join(debian, '14'), { recursive: true });
  rmSync(join(debian, '16'), { recursive: true });
  expect(await found()).toBeUndefined();
  expect(reasons.at(-1)).toBe(`PostgreSQL in ${old} is version 12, 14 is needed`);
});

test('one on PATH is found where there is no Debian', async () => {
  const bin = fakePostgres(15, true);
  const found = await findPostgres(bin, [], { debian: join(folder, 'nowhere') });
  expect(found).toEqual({ folder: bin, major: 15 });
});

test('SERVER_MISSING names every step that failed; LEASEHOLD_INSTALL=0 forbids apt-get', async () => {
  const ran = join(folder, 'ran');
  program(folder, 'apt-get', `/bin/echo "$@" >> ${ran}`);
  const reasons: string[] = [];
  const settings = { path: folder, mayInstall: false };
  const wish = { wanted: undefined, debian: join(folder, 'nowhere') };
  const surroundings = { settings, log: () => {}, reasons };
  expect(await findOrInstallPostgres(wish, surroundings)).toBeUndefined();
  expect(reasons).toEqual([
    `no initdb and postgres on PATH or in ${wish.debian}`,
    expect.stringContaining(canInstall ? 'LEASEHOLD_INSTALL=0' : 'apt-get'),
  ]);
  expect(existsSync(ran)).toBe(false);
});

test.runIf(canInstall)(
  'it installs server and PostGIS of one version, and no cluster',
  async () => {
    const ran = join(folder, 'ran');
    const debian = join(folder, 'debian');
    program(
      folder,
      'apt-get',
      `/bin/echo "$@" >> ${ran}; [ "$1" = update ] || /bin/mv ${debian}.new ${debian}`,
    );
    program(folder, 'apt-cache', 'echo "postgresql"; echo "  Depends: postgresql-16"');
    const bin = fakePostgres(16, true);
    renameSync(debian, `${debian}.new`);
    const lines: string[] = [];
    const createCluster = join(folder, 'etc', 'createcluster.conf');
    const found = await findOrInstallPostgres(
      { wanted: undefined, debian, createCluster },
      {
        settings: { path: folder, mayInstall: true },
        log: (line) => void lines.push(line),
        reasons: [],
      },
    );
    expect(readFileSync(ran, 'utf8')).toMatch(
      /^update.*\ninstall .*--no-install-recommends postgresql-16 postgresql-16-postgis-3 postgresql-16-postgis-3-scripts\n$/,
    );
    expect(readFileSync(createCluster, 'utf8')).toBe('create_main_cluster = false\n');
    expect(lines[0]).toContain('Installing PostgreSQL and PostGIS with apt-get, as root');
    // The share folder moved with it, so only the server is there.
    expect(found?.folder ?? bin).toBe(bin);
  },
);
