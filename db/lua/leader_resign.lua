-- Give the lead of a layer back, so that another need not wait for its end.
--
-- @arg       incarnation  decimal
-- @each-key  leader       hash: name, term, deadline, ttl
-- @each-arg  name         string
-- @returns   OK
-- @include   lib/limits lib/decimal lib/call lib/leader

-- L4: who does not lead has nothing to give back.
if is_leader(name) and redis.call('HGET', leader, 'name') == name then
  redis.call('HSET', leader, 'name', '', 'deadline', 0)
end
return { 'OK' }
