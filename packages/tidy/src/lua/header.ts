/**
 * Reads the header of a `db/lua` file. The header is the signature: from it come the lines that
 * take the arguments apart in Lua, and the types of the call in TypeScript, so it cannot go stale.
 */

/**
 * Kinds of arguments: how Lua reads them, and what TypeScript asks for. A number, from 0 on, is only
 * passed on by Lua: it stays text.
 */
export const ARGUMENT_KINDS = {
  string: { lua: 's', type: 'string' },
  bytes: { lua: 's', type: 'Uint8Array' },
  integer: { lua: 'i', type: 'number' },
  decimal: { lua: 'd', type: 'string | number' },
  number: { lua: 'n', type: 'number' },
} as const;

/** Kinds of fields in a reply. A map is the flat answer of HGETALL. */
export const REPLY_KINDS = {
  string: 'string',
  integer: 'number',
  map: 'ReadonlyMap<string, string>',
} as const;

export type ArgumentKind = keyof typeof ARGUMENT_KINDS;
export type ReplyKind = keyof typeof REPLY_KINDS;
export type Argument = {
  readonly name: string;
  readonly kind: ArgumentKind;
  /** Left out of the call where it is empty or 0. */
  readonly isOptional: boolean;
};
export type Key = { readonly name: string; readonly isOptional: boolean; readonly what: string };
export type List = {
  readonly name: string;
  readonly columns: readonly Argument[];
  /** The constant of lib/limits.lua that bounds it. */
  readonly max: string;
};
export type Reply = {
  readonly tag: string;
  readonly fields: readonly { readonly name: string; readonly kind: ReplyKind }[];
};

/** One function of the library, as its file declares it. */
export type Signature = {
  readonly name: string;
  /** The prose above the first tag. */
  readonly about: readonly string[];
  readonly isReadOnly: boolean;
  readonly args: readonly Argument[];
  readonly eachKeys: readonly Key[];
  readonly eachArgs: readonly Argument[];
  readonly eachLists: readonly List[];
  readonly replies: readonly Reply[];
  readonly includes: readonly string[];
  readonly body: string;
};

const NAME = /^[a-z][a-z0-9_]*$/;

/** Throws an Error that names the file and the line when a header is not of the known form. */
export function readSignature(name: string, text: string): Signature {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const header = lines.slice(0, end).map((line) => line.replace(/^-- ?/, ''));
  const args: Argument[] = [];
  const eachKeys: Key[] = [];
  const eachArgs: Argument[] = [];
  const eachLists: List[] = [];
  const replies: Reply[] = [];
  let includes: string[] = [];
  let isReadOnly = false;
  const about = header.slice(
    0,
    header.findIndex((line) => line.startsWith('@')),
  );
  while (about.at(-1) === '') about.pop();

  for (const line of header.slice(about.length)) {
    const [tag = '', ...words] = line.trim().split(/\s+/);
    const rest = words.join(' ');
    const fault = (what: string): never => {
      throw new Error(`db/lua/${name}.lua: ${what} in "${line.trim()}"`);
    };
    if (tag === '') continue;
    else if (tag === '@flags' && rest === 'no-writes') isReadOnly = true;
    else if (tag === '@arg') args.push(readArgument(words, fault));
    else if (tag === '@each-key' || tag === '@each-key?') {
      const isOptional = tag.endsWith('?');
      if (!isOptional && eachKeys.at(-1)?.isOptional)
        fault('a required key behind an optional one');
      eachKeys.push({
        name: readName(words[0], fault),
        isOptional,
        what: words.slice(1).join(' '),
      });
    } else if (tag === '@each-arg' || tag === '@each-arg?') {
      const isOptional = tag.endsWith('?');
      if (!isOptional && eachArgs.at(-1)?.isOptional)
        fault('a required one behind an optional one');
      eachArgs.push(readArgument(words, fault, isOptional));
    } else if (tag === '@each-list') eachLists.push(readList(rest, fault));
    else if (tag === '@returns') replies.push(readReply(words, fault));
    else if (tag === '@include') includes = words;
    else fault('an unknown tag');
  }
  const body = lines.slice(end).join('\n').trim();
  if (/\b(KEYS|ARGV)\b/.test(body)) {
    throw new Error(`db/lua/${name}.lua: the body mentions KEYS or ARGV; use the declared names`);
  }
  return {
    name,
    about,
    isReadOnly,
    args,
    eachKeys,
    eachArgs,
    eachLists,
    replies,
    includes,
    body,
  };
}

type Fault = (what: string) => never;

function readName(word: string | undefined, fault: Fault): string {
  return word !== undefined && NAME.test(word) ? word : fault('a name is missing or malformed');
}

function readArgument(words: readonly string[], fault: Fault, isOptional = false): Argument {
  const name = readName(words[0], fault);
  const kind = words[1] ?? '';
  return kind in ARGUMENT_KINDS
    ? { name, kind: kind as ArgumentKind, isOptional }
    : fault(`an unknown kind "${kind}"`);
}

function readList(rest: string, fault: Fault): List {
  const [front = '', back = ''] = rest.split(';');
  const [name, ...columns] = front.trim().split(' ');
  const max = /^\s*max (\w+)$/.exec(back)?.[1];
  if (max === undefined || columns.length === 0) return fault('a list needs columns and "; max X"');
  return {
    name: readName(name, fault),
    columns: columns.map((column) => readArgument(column.split(':'), fault)),
    max,
  };
}

function readReply(words: readonly string[], fault: Fault): Reply {
  const [tag = '', ...fields] = words;
  if (!/^[A-Z]+$/.test(tag)) return fault('a reply begins with its tag');
  return {
    tag,
    fields: fields.map((field) => {
      const [name, kind = ''] = field.split(':');
      if (!(kind in REPLY_KINDS)) return fault(`an unknown kind "${kind}"`);
      return { name: readName(name, fault), kind: kind as ReplyKind };
    }),
  };
}
