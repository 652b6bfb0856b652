-- Close blocks for ever: every call on their cells is refused from now on.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @returns   OK
-- @include   lib/limits lib/decimal lib/call lib/block

local was = redis.call('HMGET', block, 'incarnation', 'sealed')
if was[1] ~= call.incarnation then
  return { 'NOWORLD' }
end
if was[2] ~= '1' then
  redis.call('HSET', block, 'sealed', 1)
end
return { 'OK' }
