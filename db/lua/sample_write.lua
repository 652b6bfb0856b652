-- Keep what the leader saw of all loads, for an hour.
--
-- @arg       incarnation  decimal
-- @each-key  leader       hash: name, term, deadline, ttl
-- @each-key  samples      stream: one entry a sample
-- @each-arg  name         string
-- @each-arg  term         integer
-- @each-arg  body         bytes
-- @returns   OK
-- @returns   DEPOSED leader:string
-- @returns   TOOBIG message:string
-- @include   lib/limits lib/decimal lib/call lib/leader

if #body > BYTES_PER_CALL_MAX then
  return { 'TOOBIG', 'a sample has at most 524288 bytes' }
end
local refusal = lead_refusal(call, leader, name, term)
if refusal then
  return refusal
end
redis.call('XADD', samples, 'MAXLEN', SAMPLES_MAX, '*', 'b', body)
call.wrote = true
redis.call('XTRIM', samples, 'MINID', string.format('%.0f', call.now_ms - SAMPLES_KEPT_MS))
return { 'OK' }
