-- Write what was on its way from cells at a cut, when a world is restored. Entries that are there
-- already stay as they are, so a repetition changes nothing.
--
-- @arg        incarnation  decimal
-- @each-key   block        hash: incarnation, sealed
-- @each-key   meta         hash: lease and head
-- @each-key   out          stream: the cell's channel
-- @each-list  outs         seq:integer to:integer tick:integer body:bytes; max OUT_PER_COMMIT_MAX
-- @returns    OK
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call lib/block lib/entry lib/lease

local bytes = 0
for i = 4, outs_count * 4, 4 do
  bytes = bytes + #outs[i]
end
call.bytes = call.bytes + bytes
if bytes > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
  return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end
local out_seq = tonumber(redis.call('HGET', meta, 'out') or '0')
local last = redis.call('XREVRANGE', out, '+', '-', 'COUNT', 1)[1]
local written = last and tonumber(string.match(last[1], '^%d+')) or 0
for i = 1, outs_count * 4, 4 do
  if outs[i] > out_seq then
    return { 'BADARG', 'out: beyond the end of the channel' }
  end
end
for i = 1, outs_count * 4, 4 do
  local seq = outs[i]
  if seq > written then
    redis.call('XADD', out, string.format('%.0f', seq) .. '-0', 'd', outs[i + 1], 't', outs[i + 2],
      'b', outs[i + 3])
    call.wrote = true
    written = seq
  end
end
return { 'OK' }
