-- Tell where cells stand: lease, log, cursors, checkpoints.
--
-- @flags     no-writes
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @returns   HEAD now_ms:integer head:map
-- @include   lib/limits lib/decimal lib/call lib/block

local refusal = block_refusal(call, block)
if refusal then
  return refusal
end
return { 'HEAD', call.now_ms, redis.call('HGETALL', meta) }
