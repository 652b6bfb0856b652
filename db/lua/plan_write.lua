-- Write a layer's plan and why it changed, and tell the pods: all of it, or nothing.
--
-- `mark` is a hash of the body: readers compare it, because after a failover a version may come
-- again with another content.
--
-- @arg        incarnation  decimal
-- @each-key   leader       hash: name, term, deadline, ttl
-- @each-key   plan         hash: version, mark, body
-- @each-key   journal      stream: one entry a decision
-- @each-arg   name         string
-- @each-arg   term         integer
-- @each-arg   version      integer
-- @each-arg   mark         string
-- @each-arg   channel      string
-- @each-arg   body         bytes
-- @each-list  decisions    json:bytes; max DECISIONS_PER_PLAN_MAX
-- @returns    OK
-- @returns    DEPOSED leader:string
-- @returns    BEHIND version:integer
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call lib/leader

local bytes = #body
for i = 1, decisions_count do
  bytes = bytes + #decisions[i]
end
if bytes > PLAN_BYTES_MAX then
  return { 'TOOBIG', 'a plan and its decisions have at most 4194304 bytes' }
end
-- P1: the lead is who the store says, at this instant.
local refusal = lead_refusal(call, leader, name, term)
if refusal then
  return refusal
end
local was = redis.call('HMGET', plan, 'version', 'mark')
local stored = tonumber(was[1] or '0')
-- L4: this very plan was written before; its reply was lost.
if stored == version and was[2] == mark then
  return { 'OK' }
end
-- P2: a plan follows the one that is stored.
if version ~= stored + 1 then
  return { 'BEHIND', stored }
end
-- P3: a journal of another type is found before the first write.
redis.call('XLEN', journal)

for i = 1, decisions_count do
  redis.call('XADD', journal, 'MAXLEN', '~', JOURNAL_ENTRIES_MAX, '*', 'v', version, 't',
    call.now_text, 'd', decisions[i])
  call.wrote = true
end
redis.call('HSET', plan, 'version', version, 'mark', mark, 'body', body)
call.wrote = true
-- A hint, for pods ask anyway: a server that forbids it does not make what is written a failure.
pcall(redis.call, 'PUBLISH', channel, '{"plan":' .. version .. '}')
return { 'OK' }
