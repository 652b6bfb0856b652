-- Write entry 1 of cells, when a world is seeded. A second seeder, or a repetition, changes
-- nothing.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-key  log          stream: one entry a commit
-- @each-arg  hash         string
-- @each-arg  id_counter   integer
-- @each-arg  body         bytes
-- @returns   OK
-- @returns   ALREADY
-- @returns   HEAD seq:integer hash:string
-- @returns   TOOBIG message:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/entry lib/lease

if not is_hash(hash) then
  return { 'BADARG', 'hash: empty, too long or with a space' }
end
call.bytes = call.bytes + #body
if #body > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
  return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'seq', 'hash', 'born')
local seq = tonumber(was[1] or '0')
if seq > 0 then
  -- L4: what the cell was born with tells a repetition, however far the cell has come since.
  if was[3] == hash then
    return { 'ALREADY' }
  end
  return { 'HEAD', seq, was[2] or '' }
end
-- L3: the first write is the append; if Redis refuses, nothing has happened.
redis.call('XADD', log, '1-0', 'h', entry_header('0', '', hash, '0'), 'b', body)
call.wrote = true
open_meta(meta)
redis.call('HSET', meta, 'seq', 1, 'hash', hash, 'tick', 0, 'ids', id_counter, 'born', hash)
return { 'OK' }
