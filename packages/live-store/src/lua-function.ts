/**
 * What the generated descriptions of `db/lua` are made of, and how a call and its answer travel.
 * Knows no key, no cell and no rule.
 */
import { LeaseholdError } from '@leasehold/kernel';

type FieldKind = 'string' | 'integer' | 'map';

/** One function of the library. Instances are generated, never written. */
export type LuaFunction<Call, Item, Reply extends { readonly tag: string }> = {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly args: readonly (keyof Call & string)[];
  readonly eachKeys: readonly (keyof Item & string)[];
  readonly eachOptionalKeys: readonly (keyof Item & string)[];
  readonly eachArgs: readonly (keyof Item & string)[];
  /** Left out where they are empty or 0. */
  readonly eachOptionalArgs: readonly (keyof Item & string)[];
  /** Name of the list, and of its columns. A list of one column is a list of plain values. */
  readonly eachLists: readonly (readonly [keyof Item & string, readonly string[]])[];
  readonly replies: Readonly<Record<Reply['tag'], readonly (readonly [string, FieldKind])[]>>;
};

/** One cell of a call, taken apart. */
export type PackedItem = {
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer)[];
  /** Bytes of the bodies it carries. */
  readonly bytes: number;
};

/** Takes one cell of a call apart, in the order that the generated Lua puts it together. */
export function packItem<Call, Item, Reply extends { readonly tag: string }>(
  fn: LuaFunction<Call, Item, Reply>,
  item: Item,
): PackedItem {
  const keys = fn.eachKeys.map((name) => item[name] as string);
  let bits = 0;
  let bit = 1;
  for (const name of fn.eachOptionalKeys) {
    const key = item[name] as string | undefined;
    if (key !== undefined) {
      bits |= bit;
      keys.push(key);
    }
    bit <<= 1;
  }
  const args: (string | Buffer)[] = ['', ''];
  let bytes = 0;
  const push = (value: unknown): void => {
    if (value instanceof Uint8Array) {
      bytes += value.byteLength;
      args.push(asBuffer(value));
    } else {
      args.push(String(value));
    }
  };
  for (const name of fn.eachArgs) push(item[name]);
  for (const name of fn.eachOptionalArgs) {
    const value = item[name];
    if (!isEmpty(value)) {
      bits |= bit;
      push(value);
    }
    bit <<= 1;
  }
  for (const [name, columns] of fn.eachLists) {
    const rows = item[name] as readonly unknown[];
    if (rows.length > 0) {
      bits |= bit;
      args.push(String(rows.length));
      for (const row of rows) {
        if (columns.length === 1) push(row);
        else for (const column of columns) push((row as Readonly<Record<string, unknown>>)[column]);
      }
    }
    bit <<= 1;
  }
  args[1] = String(bits);
  args[0] = String(args.length - 1);
  return { keys, args, bytes };
}

/** The arguments of FCALL for some cells, behind the function's name. */
export function packCall<Call, Item, Reply extends { readonly tag: string }>(
  fn: LuaFunction<Call, Item, Reply>,
  call: Call,
  items: readonly PackedItem[],
): (string | Buffer)[] {
  const keys = items.flatMap((item) => item.keys);
  const packed: (string | Buffer)[] = [String(keys.length), ...keys];
  for (const name of fn.args) packed.push(String(call[name]));
  packed.push(String(items.length));
  for (const item of items) for (const arg of item.args) packed.push(arg);
  return packed;
}

/**
 * The answers of a call, one a cell. Throws `REPLY_MALFORMED` when the answer is not one that the
 * header declares: then the library in the store and this code come from different builds.
 */
export function readReplies<Call, Item, Reply extends { readonly tag: string }>(
  fn: LuaFunction<Call, Item, Reply>,
  raw: unknown,
  count: number,
): Reply[] {
  if (!Array.isArray(raw) || raw.length !== count) throw malformed(fn.name, raw);
  return raw.map((reply) => readReply(fn, reply));
}

function readReply<Call, Item, Reply extends { readonly tag: string }>(
  fn: LuaFunction<Call, Item, Reply>,
  raw: unknown,
): Reply {
  const [tag, ...values] = Array.isArray(raw) ? (raw as unknown[]) : [];
  const fields = fn.replies[tag as Reply['tag']];
  if (fields === undefined || fields.length !== values.length) throw malformed(fn.name, raw);
  const reply: Record<string, unknown> = { tag };
  fields.forEach(([name, kind], i) => {
    const value = values[i];
    if (kind === 'map') reply[name] = pairs(value as readonly string[]);
    else reply[name] = kind === 'integer' ? Number(value) : String(value);
  });
  return reply as Reply;
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === 0 || (value instanceof Uint8Array && value.byteLength === 0);
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) map.set(flat[i] as string, flat[i + 1] as string);
  return map;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function malformed(name: string, raw: unknown): LeaseholdError {
  const value = (JSON.stringify(raw) ?? 'nothing').slice(0, 200);
  return new LeaseholdError('REPLY_MALFORMED', `unexpected reply from ${name}: ${value}`, {
    field: name,
    value,
    remedy: 'Load the function library of this version: restart the pods of the world.',
  });
}
