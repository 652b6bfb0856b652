-- Write cells as they were at a cut, when a world is restored: their checkpoint, an entry behind
-- it where one is needed to say who was leaving, and how far they have read what others sent.
-- Nobody holds them yet. A repetition changes nothing.
--
-- @arg        incarnation  decimal
-- @each-key   block        hash: incarnation, sealed
-- @each-key   meta         hash: lease and head
-- @each-key   ckpt0        hash: seq, hash, tick, body
-- @each-key?  log          stream: when there is an entry behind the checkpoint
-- @each-arg   seq          decimal
-- @each-arg   hash         string
-- @each-arg   tick         decimal
-- @each-arg   id_counter   decimal
-- @each-arg   asked        decimal
-- @each-arg   out_seq      decimal
-- @each-arg   checkpoint   bytes
-- @each-arg?  last_hash    string
-- @each-arg?  last_tick    integer
-- @each-arg?  last_body    bytes
-- @each-list  cursors      cell:integer seq:integer; max CURSORS_PER_COMMIT_MAX
-- @returns    OK
-- @returns    ALREADY
-- @returns    HEAD seq:integer hash:string
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call lib/block lib/entry lib/lease

if not is_hash(hash) then
  return { 'BADARG', 'hash: empty, too long or with a space' }
end
if checkpoint == '' then
  return { 'BADARG', 'checkpoint: empty' }
end
if last_body ~= '' and not (log and is_hash(last_hash)) then
  return { 'BADARG', 'last: its key or its hash is missing' }
end
call.bytes = call.bytes + #checkpoint + #last_body
if #checkpoint > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
  return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'seq', 'hash', 'born')
local at = tonumber(was[1] or '0')
if at > 0 then
  -- L4: what the cell was born with tells a repetition, however far the cell has come since.
  if was[3] == hash then
    return { 'ALREADY' }
  end
  return { 'HEAD', at, was[2] or '' }
end
-- The first write: where Redis refuses, nothing has happened.
redis.call('HSET', ckpt0, 'seq', seq, 'hash', hash, 'tick', tick, 'body', checkpoint)
call.wrote = true
open_meta(meta)
-- E1: what the cell had taken of others, and how far it had sent.
for i = 1, cursors_count * 2, 2 do
  redis.call('HSET', meta, 'in:' .. string.format('%.0f', cursors[i]), cursors[i + 1])
end
local head_seq, head_hash, head_tick = seq, hash, tick
if last_body ~= '' then
  head_seq = string.format('%.0f', tonumber(seq) + 1)
  head_hash, head_tick = last_hash, string.format('%.0f', last_tick)
  redis.call('XADD', log, head_seq .. '-0', 'h', entry_header('0', hash, head_hash, head_tick), 'b',
    last_body)
end
redis.call('HSET', meta, 'seq', head_seq, 'hash', head_hash, 'tick', head_tick, 'ids', id_counter,
  'asked', asked, 'out', out_seq, 'c0', seq .. ':' .. tick, 'born', hash,
  'restored', seq)
return { 'OK' }
