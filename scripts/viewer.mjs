/**
 * Builds the page of the live map when what it is made of has changed. `apps/viewer/dist/.inputs`
 * keeps the hash of what the built one was made of, so that a start without changes takes no time.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { node24, root, run, say } from './frame.mjs';

const viewer = join(root, 'apps', 'viewer');
const noteFile = join(viewer, 'dist', '.inputs');

const FOLDERS = [
  'apps/viewer/src',
  'apps/viewer/public',
  'packages/client/src',
  'packages/protocol/src',
  'packages/kernel/src',
];
const FILES = ['apps/viewer/index.html', 'apps/viewer/package.json', 'package-lock.json'];

/** Says in one line what it did. A page that cannot be built is left out: the world runs without. */
export async function ensureViewer() {
  if (configFile() === undefined) {
    say('· viewer: nothing to build, there is no apps/viewer/vite.config.ts');
    return;
  }
  const inputs = pageHash();
  if (existsSync(noteFile) && readFileSync(noteFile, 'utf8') === inputs) {
    say('· viewer: built, and nothing has changed');
    return;
  }
  say('· viewer: building, which takes some seconds …');
  const startMs = Date.now();
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const said = [];
  const code = await run(node24(), [vite, 'build', viewer], { hear: (text) => said.push(text) });
  // Ctrl-C was meant for all of it.
  if (code >= 128) process.exit(code);
  if (code !== 0) {
    say(said.join('').trimEnd());
    say(`· viewer: not built (exit code ${code}); the world runs, its map shows no page`);
    return;
  }
  writeFileSync(noteFile, inputs);
  say(`· viewer: built in ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
}

const configFile = () => readdirSync(viewer).find((name) => /^vite\.config\.\w+$/.test(name));

/**
 * Of everything the page is made of. By content and not by time: a clone or a checkout makes every
 * file new.
 */
export function pageHash() {
  const config = configFile();
  const hash = createHash('sha256');
  const files = [
    ...FOLDERS.flatMap((folder) => filesBelow(join(root, folder))),
    ...FILES.map((file) => join(root, file)),
    ...(config === undefined ? [] : [join(viewer, config)]),
  ];
  for (const file of files.filter((name) => existsSync(name)).sort()) {
    const content = readFileSync(file);
    hash
      .update(`${relative(root, file).split(sep).join('/')}\n${content.length}\n`)
      .update(content);
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
