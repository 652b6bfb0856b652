-- Extend the leases of quiet cells. A commit extends too, so busy cells never come here.
--
-- An expired lease that nobody took is still its holder's: the renewal clears the first strike.
--
-- @arg       incarnation  decimal
-- @arg       ttl_ms       integer
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  nonce        string
-- @each-arg  epoch        decimal
-- @returns   OK now_ms:integer
-- @returns   FENCED nonce:string epoch:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/lease

if ttl_ms < 1 or ttl_ms > LEASE_TTL_MS_MAX then
  return { 'BADARG', 'ttl_ms: not within 1 and 60000' }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'nonce', 'epoch')
-- L1: the lease is who the store says, at this instant.
if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then
  return fenced(was[1], was[2])
end
redis.call('HSET', meta, 'deadline', call.now_ms + ttl_ms, 'suspect', 0, 'ttl', ttl_ms, 'last',
  call.now_ms)
return { 'OK', call.now_ms }
