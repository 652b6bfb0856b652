/** Writes the TypeScript description of the functions: what a call takes and what it answers. */
import { ARGUMENT_KINDS, type List, REPLY_KINDS, type Reply, type Signature } from './header.ts';

/** Every function may answer these instead of its own replies. */
export const COMMON_REPLIES: readonly Reply[] = [
  { tag: 'NOWORLD', fields: [] },
  { tag: 'SEALED', fields: [] },
  { tag: 'BADARG', fields: [{ name: 'message', kind: 'string' }] },
  { tag: 'REFUSED', fields: [{ name: 'message', kind: 'string' }] },
  { tag: 'BROKEN', fields: [{ name: 'message', kind: 'string' }] },
];

export const camel = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string): string =>
  camel(name).replace(/^./, (letter) => letter.toUpperCase());

/** The replies of a function, its own first, each tag once. */
function allReplies({ replies, eachLists }: Signature): readonly Reply[] {
  const needsTooBig = eachLists.length > 0 && !replies.some((reply) => reply.tag === 'TOOBIG');
  const tooBig: Reply = { tag: 'TOOBIG', fields: [{ name: 'message', kind: 'string' }] };
  const own = needsTooBig ? [...replies, tooBig] : replies;
  return [...own, ...COMMON_REPLIES.filter(({ tag }) => !own.some((reply) => reply.tag === tag))];
}

/** The whole file `packages/live-store/src/generated/library.ts`. */
export function librarySourceTs(signatures: readonly Signature[], lua: string): string {
  return `// Generated from db/lua by packages/tidy/src/generate.ts. Do not edit.
import type { LuaFunction } from '../lua-function.ts';

${signatures.map(functionTs).join('\n')}
/** The library of functions; \`@library@\` stands for its name. */
export const LIBRARY_TEMPLATE = \`${lua.replace(/[\\`]|\$\{/g, '\\$&')}\`;
`;
}

function functionTs(signature: Signature): string {
  const { name, args, eachKeys, eachArgs, eachLists } = signature;
  const type = pascal(name);
  const item = [
    ...eachKeys.map((key) =>
      key.isOptional
        ? `readonly ${camel(key.name)}?: string | undefined;`
        : `readonly ${camel(key.name)}: string;`,
    ),
    ...eachArgs.map((arg) => `readonly ${camel(arg.name)}: ${ARGUMENT_KINDS[arg.kind].type};`),
    ...eachLists.map((list) => `readonly ${camel(list.name)}: readonly ${listType(list)}[];`),
  ];
  const replies = allReplies(signature);
  const names = (list: readonly { readonly name: string }[]): string =>
    `[${list.map((entry) => `'${camel(entry.name)}'`).join(', ')}]`;
  return `${comment(signature)}
export type ${type}Call = { ${args.map((arg) => `readonly ${camel(arg.name)}: ${ARGUMENT_KINDS[arg.kind].type};`).join(' ')} };
export type ${type}Item = {
${item.map((line) => `  ${line}`).join('\n')}
};
export type ${type}Reply =
${replies.map((reply) => `  | ${replyType(reply)}`).join('\n')};
export const ${camel(name)}: LuaFunction<${type}Call, ${type}Item, ${type}Reply> = {
  name: '${name}',
  isReadOnly: ${signature.isReadOnly},
  args: ${names(args)},
  eachKeys: ${names(eachKeys.filter((key) => !key.isOptional))},
  eachOptionalKeys: ${names(eachKeys.filter((key) => key.isOptional))},
  eachArgs: ${names(eachArgs.filter((arg) => !arg.isOptional))},
  eachOptionalArgs: ${names(eachArgs.filter((arg) => arg.isOptional))},
  eachLists: [${eachLists.map((list) => `['${camel(list.name)}', ${names(list.columns)}]`).join(', ')}],
  replies: {
${replies.map((reply) => `    ${reply.tag}: [${reply.fields.map((field) => `['${camel(field.name)}', '${field.kind}']`).join(', ')}],`).join('\n')}
  },
};
`;
}

function listType({ columns }: List): string {
  const [first] = columns;
  if (columns.length === 1 && first !== undefined) return `(${ARGUMENT_KINDS[first.kind].type})`;
  const fields = columns.map(
    ({ name, kind }) => `readonly ${camel(name)}: ${ARGUMENT_KINDS[kind].type}`,
  );
  return `{ ${fields.join('; ')} }`;
}

function replyType({ tag, fields }: Reply): string {
  const named = fields.map(({ name, kind }) => `; readonly ${camel(name)}: ${REPLY_KINDS[kind]}`);
  return `{ readonly tag: '${tag}'${named.join('')} }`;
}

function comment({ name, about }: Signature): string {
  const lines = [...about, '', `\`db/lua/${name}.lua\``];
  return `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */`;
}
