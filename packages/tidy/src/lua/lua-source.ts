/**
 * Writes the Lua of one function: the declared body, and around it the loop over the cells of a
 * call that takes keys and arguments apart, so that a body sees names only.
 *
 * The wire form of a call:
 *
 *   keys:  per cell: the required keys, then the optional ones in use
 *   args:  the call's own arguments, the number of cells, then per cell:
 *          number of values that follow · bits of what is optional and in use (keys, arguments,
 *          lists, in this order) · required arguments · optional ones in use ·
 *          per list in use: number of rows, then the rows
 *
 * PERF: each argument costs Redis about 0.2 us before the script sees it, and a commit of moving
 * entities uses none of the optional ones.
 */
import { ARGUMENT_KINDS, type Argument, type Signature } from './header.ts';

/** Replaced by the library's name when the source is loaded. */
export const LIBRARY_PLACEHOLDER = '@library@';

/** The whole library: every include once, in order of first need, then the functions. */
export function librarySource(
  signatures: readonly Signature[],
  include: (path: string) => string,
): string {
  const includes = [...new Set(signatures.flatMap((signature) => signature.includes))];
  return [
    `#!lua name=${LIBRARY_PLACEHOLDER}`,
    ...includes.map((path) => `\n-- ${path}\n${include(path).trim()}`),
    ...signatures.map((signature) => `\n-- ${signature.name}\n${functionSource(signature)}`),
    '',
  ].join('\n');
}

function functionSource(signature: Signature): string {
  const { name, args, eachKeys, eachArgs, eachLists } = signature;
  const names = [
    ...args.filter((arg) => arg.name !== 'incarnation').map((arg) => arg.name),
    ...eachKeys.map((key) => key.name),
    ...eachArgs.map((arg) => arg.name),
    ...eachLists.flatMap((list) => [list.name, `${list.name}_count`]),
  ];
  const flags = signature.isReadOnly ? `, flags = { 'no-writes' }` : '';
  return `local function ${name}(call, ${names.join(', ')})
${indent(signature.body, 2)}
end

local function call_${name}(keys, args)
${indent(callArguments(args), 2)}
  local items = tonumber(args[${args.length + 1}])
  if not is_integer(items) or items < 1 or items > CELLS_PER_CALL_MAX then
    return redis.error_reply('BADCALL a call carries 1 to 16 cells')
  end
  local call = open_call(incarnation)
  call.items = items
  local replies, k, a = {}, 0, ${args.length + 1}
  for item = 1, items do
    local width = tonumber(args[a + 1])
    local bits = tonumber(args[a + 2])
    if not is_integer(width) or not is_integer(bits) or a + 1 + width > #args then
      return redis.error_reply('BADCALL the cells of a call cannot be told apart')
    end
    local fault
${indent(itemKeys(signature), 4)}
${indent(itemArguments(signature), 4)}
${indent(itemLists(signature), 4)}
    a = a + 1 + width
    call.wrote = false
    if fault then
      replies[item] = fault
    else
      local ok, reply = pcall(${name}, call, ${names.join(', ')})
      replies[item] = ok and reply or failure(call, reply)
    end
  end
  return replies
end

redis.register_function({
  function_name = '${LIBRARY_PLACEHOLDER}_${name}', callback = call_${name}${flags}
})`;
}

function callArguments(args: readonly Argument[]): string {
  const lines = args.flatMap(({ name, kind }, i) =>
    kind === 'integer'
      ? [
          `local ${name} = tonumber(args[${i + 1}])`,
          `if not is_integer(${name}) then`,
          `  return redis.error_reply('BADCALL ${name}: not a whole number')`,
          'end',
        ]
      : [
          `local ${name} = args[${i + 1}]`,
          `if not ${name}${kind === 'decimal' ? ` or not is_decimal(${name})` : ''} then`,
          `  return redis.error_reply('BADCALL ${name}: missing or malformed')`,
          'end',
        ],
  );
  return lines.join('\n');
}

function itemKeys({ eachKeys }: Signature): string {
  const required = eachKeys.filter((key) => !key.isOptional);
  const lines = [
    `local ${required.map((key) => key.name).join(', ')} = ` +
      required.map((_, i) => `keys[k + ${i + 1}]`).join(', '),
    `k = k + ${required.length}`,
  ];
  eachKeys
    .filter((key) => key.isOptional)
    .forEach((key, bit) => {
      lines.push(
        `local ${key.name}`,
        `if ${bitTest(bit)} then`,
        '  k = k + 1',
        `  ${key.name} = keys[k]`,
        'end',
      );
    });
  lines.push(`if k > #keys then`, `  fault = { 'BADARG', 'a key is missing' }`, 'end');
  return lines.join('\n');
}

function itemArguments({ eachKeys, eachArgs }: Signature): string {
  const required = eachArgs.filter((arg) => !arg.isOptional);
  const optional = eachArgs.filter((arg) => arg.isOptional);
  const lines = [`if width < ${required.length + 1} then`];
  lines.push(`  return redis.error_reply('BADCALL an argument is missing')`, 'end');
  required.forEach((arg, i) => {
    lines.push(...argument(arg, `args[a + ${i + 3}]`, 'local '));
  });
  lines.push(`local at, stop = a + ${required.length + 2}, a + 1 + width`);
  const firstBit = eachKeys.filter((key) => key.isOptional).length;
  optional.forEach((arg, i) => {
    const isNumber = arg.kind === 'integer';
    lines.push(
      `local ${arg.name} = ${isNumber ? '0' : `''`}`,
      `if ${bitTest(firstBit + i)} then`,
      '  at = at + 1',
      ...argument(arg, 'args[at]', '').map((line) => `  ${line}`),
      'end',
    );
  });
  return lines.join('\n');
}

function argument({ name, kind }: Argument, value: string, local: string): string[] {
  const isNumber = kind === 'integer';
  const lines = [`${local}${name} = ${isNumber ? `tonumber(${value})` : value}`];
  const check =
    kind === 'integer' ? `is_integer(${name})` : kind === 'decimal' ? `is_decimal(${name})` : '';
  if (check) {
    lines.push(`if not ${check} then`, `  fault = { 'BADARG', '${name}: not ${kind}' }`, 'end');
  }
  return lines;
}

function itemLists({ eachKeys, eachArgs, eachLists }: Signature): string {
  const firstBit = [...eachKeys, ...eachArgs].filter(({ isOptional }) => isOptional).length;
  const lines = eachLists.flatMap(({ name, columns, max }, i) => {
    const types = columns.map(({ kind }) => ARGUMENT_KINDS[kind].lua).join('');
    return [
      `local ${name}, ${name}_count = NOTHING, 0`,
      `if ${bitTest(firstBit + i)} then`,
      '  local list_fault',
      `  ${name}, ${name}_count, at, list_fault = take_list(args, at, stop, '${types}', ${max})`,
      '  fault = fault or list_fault',
      'end',
    ];
  });
  return [
    ...lines,
    'if at ~= stop then',
    `  fault = fault or { 'BADARG', 'arguments are left over' }`,
    'end',
  ].join('\n');
}

const bitTest = (bit: number): string => `bits % ${2 ** (bit + 1)} >= ${2 ** bit}`;

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));
