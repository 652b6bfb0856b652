-- Keep letters that found nobody. The oldest go when there are too many.
--
-- @arg        incarnation  decimal
-- @each-key   letters      hash: by id, the letter; and `bytes`, of all of them
-- @each-key   order        sorted set: ids by time
-- @each-list  added        id:string at_ms:number json:bytes; max LETTERS_PER_CALL_MAX
-- @returns    OK
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call

-- S-3: a key of another type is found before the first write.
redis.call('HLEN', letters)
redis.call('ZCARD', order)
for i = 1, added_count * 3, 3 do
  local id, at_ms, json = added[i], added[i + 1], added[i + 2]
  -- L4: a letter that is there stays as it is.
  if redis.call('HSETNX', letters, 'l' .. id, json) == 1 then
    call.wrote = true
    redis.call('ZADD', order, at_ms, id)
    redis.call('HINCRBY', letters, 'bytes', #json)
  end
end
local count = redis.call('ZCARD', order)
local bytes = tonumber(redis.call('HGET', letters, 'bytes') or '0')
-- At most as many steps as there are letters.
while count > DEAD_LETTERS_MAX or bytes > LETTER_BYTES_MAX do
  local oldest = redis.call('ZPOPMIN', order)[1]
  if not oldest then
    break
  end
  local size = redis.call('HSTRLEN', letters, 'l' .. oldest)
  redis.call('HDEL', letters, 'l' .. oldest)
  bytes = redis.call('HINCRBY', letters, 'bytes', -size)
  count = count - 1
end
return { 'OK' }
