-- Tell where cells stand: lease, log, cursors, checkpoints.
--
-- @flags     no-writes
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  cold         string
-- @each-arg  place        integer
-- @returns   HEAD now_ms:integer head:map
-- @returns   COLD mark:integer
-- @include   lib/limits lib/decimal lib/call lib/block lib/cold

local refusal = block_refusal(call, block)
if refusal then
  return refusal
end
local head = redis.call('HGETALL', meta)
local mark = #head == 0 and cold_mark(block, cold, place) or 0
if mark > 0 then
  return { 'COLD', mark }
end
return { 'HEAD', call.now_ms, head }
