import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openProgram } from './index.ts';

const WANTED = { names: ['leasehold-lynx', 'leasehold-links'], packageName: 'leasehold-links' };
const canInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-path-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, script: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

test('the first name that is on PATH is taken, and nothing is installed', async () => {
  program('apt-get', 'exit 1');
  const file = program('leasehold-links', '');
  const reasons: string[] = [];
  expect(await openProgram(WANTED, reasons, { env: { PATH: folder } })).toBe(file);
  expect(reasons).toEqual([]);
});

test('LEASEHOLD_INSTALL=0 keeps it from being installed, and the reason is told', async () => {
  const ran = join(folder, 'ran');
  program('apt-get', `/bin/echo "$@" >> ${ran}`);
  const reasons: string[] = [];
  const env = { PATH: folder, LEASEHOLD_INSTALL: '0' };
  expect(await openProgram(WANTED, reasons, { env })).toBeUndefined();
  expect(existsSync(ran)).toBe(false);
  expect(reasons[0]).toBe('none of leasehold-lynx, leasehold-links is on PATH');
  expect(reasons).toHaveLength(2);
});

test.runIf(canInstall)('the package is installed once for all who want it at once', async () => {
  const ran = join(folder, 'ran');
  const brings = `/bin/echo '#!/bin/sh' > ${folder}/leasehold-links; /bin/chmod +x ${folder}/leasehold-links`;
  program('apt-get', `/bin/echo "$1 $2" >> ${ran}\n[ "$1" = install ] && { ${brings}; } || true`);
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const open = () => openProgram(WANTED, [], { env: { PATH: folder }, log });
  expect(await Promise.all([open(), open()])).toEqual([
    join(folder, 'leasehold-links'),
    join(folder, 'leasehold-links'),
  ]);
  expect(readFileSync(ran, 'utf8')).toBe('update -q\ninstall -y\n');
  expect(lines[0]).toContain('Installing leasehold-links with apt-get, as root');
});
