-- Make blocks. Seeding does this, and nothing else: a block that is absent says that the world is.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @returns   OK
-- @returns   ALREADY
-- @include   lib/limits lib/decimal lib/call lib/block

local was = redis.call('HMGET', block, 'incarnation', 'sealed')
if was[1] == call.incarnation then
  -- L4: a block that exists is left as it is, sealed or not.
  return { was[2] == '1' and 'SEALED' or 'ALREADY' }
end
if was[1] then
  return { 'NOWORLD' }
end
redis.call('HSET', block, 'incarnation', call.incarnation)
return { 'OK' }
