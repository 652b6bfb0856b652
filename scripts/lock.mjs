/**
 * `npm run lock`, after every change of dependencies: completes package-lock.json with the builds
 * of optional packages for other platforms. npm leaves out those it could not fetch, and `npm ci`
 * then refuses the whole lock file, on every platform. With `--check` it only says what is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, say } from './frame.mjs';

const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingEntries(lock.packages);

for (const { path, version } of missing) say(`not in package-lock.json: ${path} ${version}`);
if (process.argv.includes('--check')) {
  process.exitCode = missing.length > 0 ? 1 : 0;
} else if (missing.length > 0) {
  for (const { path, version } of missing) {
    lock.packages[path] = { version, ...platformOf(path), optional: true };
  }
  const byPath = ([a], [b]) => a.localeCompare(b, 'en');
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  say(`completed with ${missing.length} entries`);
}

/** Optional dependencies with an exact version that no entry of the lock file satisfies. */
function missingEntries(packages) {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([, version]) => /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .filter(([name]) => !placesFor(path, name).some((place) => place in packages))
      .map(([name, version]) => ({ path: `node_modules/${name}`, version })),
  );
}

/** Where a package at `path` may find `name`, innermost first. */
function placesFor(path, name) {
  const places = [`${path}/node_modules/${name}`];
  for (
    let i = path.lastIndexOf('/node_modules/');
    i > 0;
    i = path.lastIndexOf('/node_modules/', i - 1)
  ) {
    places.push(`${path.slice(0, i)}/node_modules/${name}`);
  }
  return [...places, `node_modules/${name}`];
}

/** The platform a build is for, by the words of its name, so that npm skips it on the others. */
function platformOf(path) {
  const words = path.split('/').slice(2).join('-').split('-');
  const has = (...names) => names.some((name) => words.includes(name));
  const systems = [
    'darwin',
    'linux',
    'win32',
    'android',
    'freebsd',
    'openharmony',
    'sunos',
    'netbsd',
  ];
  const os = systems.find((system) => has(system)) ?? (has('windows') ? 'win32' : undefined);
  const cpus = ['x64', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'wasm32', 'arm'];
  const cpu = cpus.find((candidate) => has(candidate)) ?? (has('64') ? 'x64' : undefined);
  const musl = has('musl', 'musleabihf');
  const glibc = has('gnu', 'gnueabihf');
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(musl || glibc ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
    ...(os === undefined ? {} : { os: [os] }),
  };
}
