-- End somebody's lease, named by its nonce, because its holder is believed dead. Being wrong costs
-- one handover: the store fences the loser.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  nonce        string
-- @returns   OK now_ms:integer
-- @returns   FENCED nonce:string epoch:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/lease

local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'past')
-- L4: it has ended before, and nobody has taken the cell since.
if nonce ~= '' and was[1] == '' and was[3] == nonce then
  return { 'OK', call.now_ms }
end
-- L1: a lease that began meanwhile is not the one that was meant.
if nonce == '' or was[1] ~= nonce then
  return fenced(was[1], was[2])
end
local fields = {}
end_lease(fields, call, nonce, 'revoked', '')
redis.call('HSET', meta, unpack(fields))
return { 'OK', call.now_ms }
