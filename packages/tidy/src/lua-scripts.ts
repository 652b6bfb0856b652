/** Lua under `db/lua`: the header is the signature, so a body never names its arguments itself. */
import type { SourceFile } from './source-files.ts';

const TAGS: ReadonlySet<string> = new Set([
  ...['flags', 'key', 'arg', 'each-key', 'each-key?', 'each-arg', 'each-arg?', 'each-list'],
  ...['returns', 'include'],
]);
const LINE_CHARACTERS_MAX = 100;
const NAME = /^db\/lua\/(lib\/)?[a-z0-9]+(_[a-z0-9]+)*\.lua$/;

/** One sentence for each script whose header or body breaks the dialect. */
export function luaFaults(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap((file) =>
    [...nameFaults(file), ...headerFaults(file, paths), ...bodyFaults(file)].map(
      (fault) => `${file.path}: ${fault}`,
    ),
  );
}

const isLibrary = (path: string): boolean => path.startsWith('db/lua/lib/');

function nameFaults({ path }: SourceFile): string[] {
  const faults = NAME.test(path) ? [] : ['the name is not snake_case'];
  if (!isLibrary(path) && !path.includes('_')) faults.push('the name is not noun_verb');
  return faults;
}

function headerFaults({ path, text }: SourceFile, paths: ReadonlySet<string>): string[] {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const header = lines.slice(0, end === -1 ? lines.length : end);
  if (!/^-- [A-Z].*/.test(header[0] ?? '')) return ['it does not begin by saying what it does'];
  if (isLibrary(path)) return [];
  const tags = header.flatMap((line) => {
    const match = /^-- @(\S+)\s*(.*)$/.exec(line);
    return match === null ? [] : [{ tag: match[1]!, rest: match[2]! }];
  });
  const faults = tags.filter(({ tag }) => !TAGS.has(tag)).map(({ tag }) => `unknown tag @${tag}`);
  if (!tags.some(({ tag }) => tag === 'returns')) faults.push('no @returns in its header');
  if (!tags.some(({ tag }) => /^(each-)?key/.test(tag))) faults.push('no key in its header');
  const included = tags
    .filter(({ tag }) => tag === 'include')
    .flatMap(({ rest }) => rest.split(' '));
  for (const name of included.filter((word) => word !== '')) {
    if (!paths.has(`db/lua/${name}.lua`)) faults.push(`includes ${name}, which is not there`);
  }
  return faults;
}

function bodyFaults({ text }: SourceFile): string[] {
  const faults: string[] = [];
  const body = text.replace(/--[^\n]*/g, '');
  if (/\b(KEYS|ARGV)\b/.test(body)) faults.push('the body mentions KEYS or ARGV');
  const named = [...body.matchAll(/\blocal\s+(?:function\s+)?([\w, ]+)/g)].flatMap((match) =>
    match[1]!.split(/[, ]+/),
  );
  for (const name of named) {
    if (/[a-z][A-Z]/.test(name)) faults.push(`${name} is not snake_case`);
  }
  text.split('\n').forEach((line, i) => {
    const isReply = /^-- @returns/.test(line);
    if (line.length > LINE_CHARACTERS_MAX && !isReply) faults.push(`line ${i + 1} is too long`);
  });
  return faults;
}
