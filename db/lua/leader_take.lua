-- Take or keep the lead of a layer: who leads writes its plan.
--
-- One strike is enough here: who loses the lead by a clock step loses no more than a plan that is
-- refused. A clock that was ahead keeps a lead for no longer than its own term, as with leases.
--
-- @arg       incarnation  decimal
-- @each-key  leader       hash: name, term, deadline, ttl
-- @each-arg  name         string
-- @each-arg  ttl_ms       integer
-- @returns   LEADING term:integer now_ms:integer
-- @returns   FOLLOWING leader:string retry_in_ms:integer now_ms:integer
-- @include   lib/limits lib/decimal lib/call lib/leader

if not is_leader(name) then
  return { 'BADARG', 'name: not 1 to 64 letters, digits, _ or -' }
end
if ttl_ms < 1 or ttl_ms > LEAD_TTL_MS_MAX then
  return { 'BADARG', 'ttl_ms: not within 1 and 60000' }
end
local now_ms = call.now_ms
local was = redis.call('HMGET', leader, 'name', 'term', 'deadline', 'ttl')
local holder, term = was[1] or '', tonumber(was[2] or '0')
if holder ~= '' and holder ~= name then
  local left_ms = lead_left_ms(call, was[3], was[4])
  if left_ms > 0 then
    if tonumber(was[3]) > now_ms + left_ms then
      redis.call('HSET', leader, 'deadline', now_ms + left_ms)
    end
    return { 'FOLLOWING', holder, left_ms, now_ms }
  end
end
-- P1: a term is of one leader, without a break by another.
if holder ~= name then
  term = term + 1
end
redis.call('HSET', leader, 'name', name, 'term', term, 'deadline', now_ms + ttl_ms, 'ttl', ttl_ms)
return { 'LEADING', term, now_ms }
