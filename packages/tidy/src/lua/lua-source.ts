/**
 * Writes the Lua of one function: the declared body, and around it the loop over the cells of a call
 * that takes keys and arguments apart, so that a body sees names only.
 *
 * The wire form of a call:
 *
 *   keys:  per cell: the required keys, then the optional ones in use
 *   args:  the call's own arguments, the number of cells, then per cell:
 *          number of values that follow · bits of the optional keys in use · arguments ·
 *          per list: number of rows, then the rows
 */
import { ARGUMENT_KINDS, type Argument, type List, type Signature } from './header.ts';

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
${indent(itemArguments(eachArgs), 4)}
${indent(itemLists(eachLists, eachArgs.length), 4)}
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
        `if bits % ${2 ** (bit + 1)} >= ${2 ** bit} then`,
        '  k = k + 1',
        `  ${key.name} = keys[k]`,
        'end',
      );
    });
  lines.push(`if k > #keys then`, `  fault = { 'BADARG', 'a key is missing' }`, 'end');
  return lines.join('\n');
}

function itemArguments(args: readonly Argument[]): string {
  if (args.length === 0) return '-- No arguments.';
  const lines = [`if width < ${args.length + 1} then`];
  lines.push(`  return redis.error_reply('BADCALL an argument is missing')`, 'end');
  args.forEach(({ name, kind }, i) => {
    const value = `args[a + ${i + 3}]`;
    const isNumber = kind === 'integer' || kind === 'number';
    lines.push(`local ${name} = ${isNumber ? `tonumber(${value})` : value}`);
    const check =
      kind === 'integer' ? `is_integer(${name})` : kind === 'decimal' ? `is_decimal(${name})` : '';
    if (check) {
      lines.push(`if not ${check} then`, `  fault = { 'BADARG', '${name}: not ${kind}' }`, 'end');
    }
  });
  return lines.join('\n');
}

function itemLists(lists: readonly List[], argCount: number): string {
  if (lists.length === 0) return '-- No lists.';
  const lines = [`local at, stop, list_fault = a + ${argCount + 2}, a + 1 + width`];
  for (const { name, columns, max } of lists) {
    const types = columns.map(({ kind }) => ARGUMENT_KINDS[kind].lua).join('');
    lines.push(
      `local ${name}, ${name}_count`,
      `${name}, ${name}_count, at, list_fault = take_list(args, at, stop, '${types}', ${max})`,
      `fault = fault or list_fault`,
    );
  }
  return lines.join('\n');
}

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));
