-- Ask cells to do something. A cell's inbox counts its own posts, without gaps.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-key  inbox        stream: one entry a post
-- @each-key  posted       hash: the last ids, and their positions
-- @each-arg  id           string
-- @each-arg  body         bytes
-- @each-arg  cold         string
-- @each-arg  place        integer
-- @returns   OK seq:integer nonce:string
-- @returns   FULL
-- @returns   COLD mark:integer
-- @returns   TOOBIG message:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/cold

if id == '' or #id > NONCE_BYTES_MAX then
  return { 'BADARG', 'id: empty or longer than 128 bytes' }
end
call.bytes = call.bytes + #body
if #body > POST_BYTES_MAX then
  return { 'TOOBIG', 'a post carries at most 65536 bytes' }
end
if call.bytes > BYTES_PER_CALL_MAX then
  return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

-- M1: a repetition gets the position it had, also after the post was consumed.
local known = redis.call('HGET', posted, 'i' .. id)
local was = redis.call('HMGET', meta, 'posts', 'inbox', 'postsum', 'postdone', 'nonce')
if not was[1] and not was[5] then
  local mark = cold_mark(block, cold, place)
  if mark > 0 then
    return { 'COLD', mark }
  end
end
-- Whoever holds the cell is to be told.
local nonce = was[5] or ''
if known then
  return { 'OK', tonumber(known), nonce }
end
local last, cursor = tonumber(was[1] or '0'), tonumber(was[2] or '0')
local sum, done = tonumber(was[3] or '0'), tonumber(was[4] or '0')
if last - cursor >= INBOX_ENTRIES_MAX or sum - done + #body > INBOX_BYTES_MAX then
  return { 'FULL' }
end

local seq = last + 1
local slot = 's' .. seq % POST_IDS_MAX
local old = redis.call('HGET', posted, slot)
sum = sum + #body
-- The running sum of bytes lets the consumer's commit count what it freed without reading it.
redis.call('XADD', inbox, seq .. '-0', 'i', id, 's', sum, 'b', body)
call.wrote = true
redis.call('HSET', meta, 'posts', seq, 'postsum', sum)
if old then
  redis.call('HDEL', posted, 'i' .. old)
end
redis.call('HSET', posted, 'i' .. id, seq, slot, id)
return { 'OK', seq, nonce }
