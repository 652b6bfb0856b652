-- Put cells back that have left Redis, as they were. Nobody holds them. A repetition changes
-- nothing.
--
-- @arg        incarnation  decimal
-- @each-key   block        hash: incarnation, sealed, marks of cells that sleep
-- @each-key   meta         hash: lease and head
-- @each-key   posted       hash: the last ids, and their positions
-- @each-key   ckpt0        hash: seq, hash, tick, body
-- @each-arg   cold         string
-- @each-arg   place        integer
-- @each-arg   seq          decimal
-- @each-arg   hash         string
-- @each-arg   tick         decimal
-- @each-arg   mark         integer
-- @each-arg   checkpoint   bytes
-- @each-list  heads        name:string value:string; max HEAD_FIELDS_MAX
-- @each-list  ids          name:string value:string; max POSTED_FIELDS_MAX
-- @returns    OK
-- @returns    ALREADY
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call lib/block lib/cold lib/entry lib/lease

if not is_hash(hash) then
  return { 'BADARG', 'hash: empty, too long or with a space' }
end
if checkpoint == '' then
  return { 'BADARG', 'checkpoint: empty' }
end
call.bytes = call.bytes + #checkpoint
if #checkpoint > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
  return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end
-- Only the state that left comes back; whoever has another one looks again.
if redis.call('EXISTS', meta) == 1 or cold_mark(block, cold, place) ~= mark then
  return { 'ALREADY' }
end
-- The first write: where Redis refuses, nothing has happened.
redis.call('HSET', ckpt0, 'seq', seq, 'hash', hash, 'tick', tick, 'body', checkpoint)
call.wrote = true
open_meta(meta)
for i = 1, heads_count * 2, 2 do
  redis.call('HSET', meta, heads[i], heads[i + 1])
end
-- L4: posts that were consumed are recognised when they are repeated.
for i = 1, ids_count * 2, 2 do
  redis.call('HSET', posted, ids[i], ids[i + 1])
end
redis.call('HSET', meta, 'seq', seq, 'hash', hash, 'tick', tick, 'c0', seq .. ':' .. tick,
  'restored', seq)
set_cold_mark(block, cold, place, 0)
return { 'OK' }
