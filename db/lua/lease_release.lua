-- Give cells back, for anyone to take.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  nonce        string
-- @each-arg  epoch        decimal
-- @returns   OK now_ms:integer
-- @returns   FENCED nonce:string epoch:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/lease

local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'past', 'attempts')
-- L4: it was released by this very call before, and nobody has taken it since.
if nonce ~= '' and was[1] == '' and was[2] == epoch and was[3] == nonce then
  return { 'OK', call.now_ms }
end
-- L1: only the holder gives back.
if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then
  return fenced(was[1], was[2])
end
local fields = { 'last', call.now_ms }
end_lease(fields, call, nonce, 'released', '')
forgive(fields, was[4])
redis.call('HSET', meta, unpack(fields))
return { 'OK', call.now_ms }
