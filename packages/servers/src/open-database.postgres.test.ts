import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatabaseServer, findPostgres, openDatabase } from './index.ts';
import { goneWithin, isAlive } from './launch.ts';
import { postmasterNote } from './launch-postgres.ts';

const env = { PATH: process.env['PATH'] };
const programs = await findPostgres(env.PATH ?? '', []);
const isRoot = process.getuid?.() === 0;

describe.skipIf(programs === undefined)('a private PostgreSQL (needs its programs)', () => {
  let home = '';
  const at = (...path: string[]): string => join(home, 'postgres', ...path);
  const pid = (): number => postmasterNote(at('data'))?.pid ?? 0;
  const open = (options = {}): Promise<DatabaseServer> =>
    openDatabase({ home, env, purpose: 'test', ...options });

  // One cluster for all: each of them ends the server that it has opened.
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'leasehold-home-'));
    chmodSync(home, 0o711);
  });

  afterAll(async () => {
    const left = pid();
    if (left > 0 && isAlive(left)) process.kill(left, 'SIGKILL');
    if (left > 0) await goneWithin(left, 5_000);
    rmSync(home, { recursive: true, force: true });
  });

  /** What `psql` says to one statement. */
  const asked = ({ databaseUrl }: DatabaseServer, statement: string): string =>
    execFileSync(join(programs?.folder ?? '', 'psql'), [databaseUrl, '-Atc', statement], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();

  test('it is made, shared, ended by the last, and keeps what it held', async () => {
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const [first, second] = await Promise.all([open({ log }), open({ log })]);
    expect(first).toMatchObject({ kind: 'private', databaseUrl: second.databaseUrl });
    expect(lines.toSorted()).toEqual([
      `Started a private PostgreSQL under ${home}.`,
      `Using a private PostgreSQL under ${home}.`,
    ]);
    asked(first, "create table kept as select 'yes' as value");
    const server = pid();
    await first.close();
    await first.close();
    expect(isAlive(server)).toBe(true);
    await second.close();
    expect(isAlive(server)).toBe(false);
    const third = await open();
    expect(asked(third, 'select value from kept')).toBe('yes');
    await third.close();
  });

  test('its password is asked for, and kept from everybody else', async () => {
    const server = await open();
    const { password } = new URL(server.databaseUrl);
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(statSync(at('password')).mode & 0o777).toBe(0o600);
    expect(statSync(at('data')).mode & 0o777).toBe(0o700);
    expect(readFileSync(at('postgres.log'), 'utf8')).not.toContain(password);
    expect(readFileSync(`/proc/${pid()}/cmdline`, 'utf8')).not.toContain(password);
    if (isRoot) expect(statSync(at('data')).uid).not.toBe(0);
    const stranger = { ...server, databaseUrl: server.databaseUrl.replace(password, 'guessed') };
    expect(() => asked(stranger, 'select 1')).toThrow();
    await server.close();
  });

  test('data of a test may be lost with the machine, data of a world may not', async () => {
    const careless = await open();
    expect(asked(careless, 'show fsync')).toBe('off');
    await careless.close();
    const careful = await open({ purpose: 'run' });
    expect(asked(careful, 'show fsync')).toBe('on');
    expect(asked(careful, 'show listen_addresses')).toBe('127.0.0.1');
    await careful.close();
  });

  test('what a killed user left is taken over, and what a killed server left is mended', async () => {
    const script = `
      import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const purpose = 'test';
      await openDatabase({ home: ${JSON.stringify(home)}, env: process.env, purpose });
      console.log('open');
      setInterval(() => {}, 1000);
    `;
    const args = ['--input-type=module', '-e', script];
    const user = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(user.stdout, 'data');
    user.kill('SIGKILL');
    await once(user, 'exit');
    const orphan = pid();
    const heir = await open();
    expect(pid()).toBe(orphan);
    // Test data need not survive a crash unless it is asked to.
    asked(heir, 'set synchronous_commit = on; create table also_kept ()');
    process.kill(orphan, 'SIGQUIT');
    expect(await goneWithin(orphan, 10_000)).toBe(true);
    const next = await open();
    expect(asked(next, "select to_regclass('also_kept')")).toBe('also_kept');
    await heir.close();
    const { port } = new URL(next.databaseUrl);
    await once(connect(Number(port), '127.0.0.1'), 'connect');
    await next.close();
    expect(pid()).toBe(0);
  });

  test('a cluster of another version is named and left alone', async () => {
    writeFileSync(at('data', 'PG_VERSION'), '11\n');
    await expect(open()).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('was made by PostgreSQL 11'),
    });
  });

  test.runIf(isRoot)(
    'a home that its account cannot enter is refused with what to do',
    async () => {
      chmodSync(home, 0o700);
      await expect(open()).rejects.toMatchObject({
        code: 'SETTING_INVALID',
        detail: { field: 'LEASEHOLD_HOME', remedy: expect.stringContaining('chmod o+x') },
      });
    },
  );
});
