-- Give cells to a pod that already follows their logs. For a moment nobody else may take them.
--
-- @arg       incarnation  decimal
-- @arg       heir         string
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  nonce        string
-- @each-arg  epoch        decimal
-- @returns   OK now_ms:integer
-- @returns   FENCED nonce:string epoch:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/lease

if not is_pod(heir) then
  return { 'BADARG', 'heir: not the name of a pod' }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'past', 'attempts', 'heir')
-- L4: it was handed over by this very call before, and nobody has taken it since.
if nonce ~= '' and was[1] == '' and was[2] == epoch and was[3] == nonce and was[5] == heir then
  return { 'OK', call.now_ms }
end
-- L1: only the holder hands over.
if nonce == '' or was[1] ~= nonce or was[2] ~= epoch then
  return fenced(was[1], was[2])
end
local fields = { 'last', call.now_ms }
end_lease(fields, call, nonce, 'handover', heir)
forgive(fields, was[4])
redis.call('HSET', meta, unpack(fields))
return { 'OK', call.now_ms }
