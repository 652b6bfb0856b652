#!/usr/bin/env node
/**
 * The door of the command: plain JavaScript that any Node from 20 on can read. The product itself
 * runs on Node 24, which comes with the installation; this finds it and hands over.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJOR_MIN = 24;
const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'src', 'main.ts');

function majorOf(version) {
  return Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
}

/** The `node` package may be in any node_modules above this file. */
function installedNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    for (const name of ['bin/node', 'bin/node.exe']) {
      const file = join(folder, 'node_modules', 'node', name);
      if (existsSync(file)) return file;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function newestNode() {
  const candidates = [process.env.LEASEHOLD_NODE, installedNode(), 'node'];
  return candidates.find((file) => {
    if (file === undefined || file === '') return false;
    const answer = spawnSync(file, ['--version'], { encoding: 'utf8' });
    return answer.status === 0 && majorOf(answer.stdout) >= MAJOR_MIN;
  });
}

if (majorOf(process.version) >= MAJOR_MIN) {
  await import(main);
} else {
  const node = newestNode();
  if (node === undefined) {
    process.stderr.write(
      `leasehold needs Node ${MAJOR_MIN} or newer; this is ${process.version}.\n` +
        'Run `npm install` in its folder: that brings one along. Or set LEASEHOLD_NODE to a newer node.\n',
    );
    process.exit(2);
  }
  // The channel tells the other side when this one is killed: nothing may be left behind.
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc'];
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio });
  // The terminal sends Ctrl-C to both; this one must stay until the other has finished.
  process.on('SIGINT', () => undefined);
  for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.on('error', (error) => {
    process.stderr.write(`leasehold cannot start ${node}: ${error.message}\n`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}
