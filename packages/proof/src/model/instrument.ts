/**
 * The product's own function library under another name, with a clock and errors that a test sets.
 * The bodies stay byte for byte those that ship: a prelude hides `redis` behind a table of its own,
 * whose `call` answers TIME and may fail once.
 */
import { librarySource } from '@leasehold/live-store';

/**
 * A fault is armed for one call of the library and counted in its calls of Redis. It hits where
 * Redis itself may refuse: anywhere before the first write, and at the first append.
 */
const PRELUDE = `
local model_seconds, model_micros = '1800000000', '0'
local model_armed, model_left, model_wrote, model_appended = 0, 0, false, false
local MODEL_WRITES = { HSET = true, HSETNX = true, HDEL = true, XADD = true, XTRIM = true,
  ZREM = true, GEOADD = true }
local function model_call(name, ...)
  if name == 'TIME' then
    model_left, model_armed, model_wrote, model_appended = model_armed, 0, false, false
    return { model_seconds, model_micros }
  end
  if model_left > 0 then
    model_left = model_left - 1
    if model_left == 0 and (not model_wrote or (name == 'XADD' and not model_appended)) then
      error({ err = 'OOM injected' })
    end
  end
  if MODEL_WRITES[name] then model_wrote = true end
  if name == 'XADD' then model_appended = true end
  return redis.call(name, ...)
end
local function model_error(text) return redis.error_reply(text) end
local function model_copy(from, to)
  if redis.call('COPY', from, to, 'REPLACE') == 0 then redis.call('DEL', to) end
end
local MODEL_VERBS = {
  now = function(_, args) model_seconds, model_micros = args[2], args[3] end,
  fail = function(_, args) model_armed = tonumber(args[2]) end,
  keep = function(keys) for _, key in ipairs(keys) do model_copy(key, key .. ':kept') end end,
  back = function(keys) for _, key in ipairs(keys) do model_copy(key .. ':kept', key) end end,
  clear = function(keys)
    for _, key in ipairs(keys) do redis.call('DEL', key, key .. ':kept') end
  end,
}
local function model_do(keys, args)
  MODEL_VERBS[args[1]](keys, args)
  return 'OK'
end
redis.register_function({ function_name = '@library@_model', callback = model_do })
local redis = {
  call = model_call, error_reply = model_error, register_function = redis.register_function,
}
`;

/** The instrumented library, complete. */
export function instrumentedSource(name: string): string {
  const source = librarySource(name);
  const end = source.indexOf('\n');
  return `${source.slice(0, end)}\n${PRELUDE.replaceAll('@library@', name)}${source.slice(end)}`;
}
