-- Set ids of a cell aside for who asks from outside.
--
-- They have an origin of their own, so they never meet those that the cell's holder gives out, and
-- need no lease.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  count        integer
-- @each-arg  cold         string
-- @each-arg  place        integer
-- @returns   OK first:integer
-- @returns   COLD mark:integer
-- @returns   TOOBIG message:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/cold

if count < 1 or count > IDS_PER_CALL_MAX then
  return { 'BADARG', 'count: not within 1 and 100000' }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end
local asked = redis.call('HGET', meta, 'asked')
local mark = not asked and cold_mark(block, cold, place) or 0
if mark > 0 then
  return { 'COLD', mark }
end
local last = tonumber(asked or '0')
if last + count > ID_COUNTER_MAX then
  return { 'TOOBIG', 'a cell bears 4294967295 entities that are asked for from outside' }
end
-- E2: an id is given out once.
redis.call('HINCRBY', meta, 'asked', count)
call.wrote = true
return { 'OK', last + 1 }
