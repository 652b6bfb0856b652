-- Remove letters that somebody has dealt with.
--
-- @arg        incarnation  decimal
-- @each-key   letters      hash: by id, the letter; and `bytes`, of all of them
-- @each-key   order        sorted set: ids by time
-- @each-list  ids          id:string; max LETTERS_PER_CALL_MAX
-- @returns    OK dropped:integer
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call

redis.call('HLEN', letters)
local dropped = 0
for i = 1, ids_count do
  local field = 'l' .. ids[i]
  if redis.call('ZREM', order, ids[i]) == 1 then
    call.wrote = true
    redis.call('HINCRBY', letters, 'bytes', -redis.call('HSTRLEN', letters, field))
    dropped = dropped + redis.call('HDEL', letters, field)
  end
end
return { 'OK', dropped }
