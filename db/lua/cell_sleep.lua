-- Drop cells that nobody holds and in which nothing waits. Whoever calls has put what they were, up
-- to this very head, where it lasts; what was never written is kept nowhere.
--
-- @arg       incarnation  decimal
-- @each-key  block        hash: incarnation, sealed, marks of cells that sleep
-- @each-key  meta         hash: lease and head
-- @each-key  log          stream: one entry a commit
-- @each-key  out          stream: the cell's channel
-- @each-key  inbox        stream: one entry a post
-- @each-key  posted       hash: the last ids, and their positions
-- @each-key  ckpt0        hash: seq, hash, tick, body
-- @each-key  ckpt1        hash: seq, hash, tick, body
-- @each-key  geo          sorted set: the cell's index
-- @each-arg  cold         string
-- @each-arg  place        integer
-- @each-arg  seq          decimal
-- @each-arg  hash         string
-- @each-arg  epoch        decimal
-- @each-arg  posts        decimal
-- @each-arg  asked        decimal
-- @each-arg  out_read     integer
-- @each-arg  mark         integer
-- @returns   OK
-- @returns   COLD mark:integer
-- @returns   BUSY why:string
-- @include   lib/limits lib/decimal lib/call lib/block lib/cold lib/entry

if hash ~= '' and not is_hash(hash) then
  return { 'BADARG', 'hash: too long or with a space' }
end
if (mark == 0) ~= (seq == '0') or mark > COLD_MARK_MAX then
  return { 'BADARG', 'mark: of what was written, and of nothing else' }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'nonce', 'cause', 'until', 'seq', 'hash', 'posts', 'inbox',
  'asked', 'out', 'epoch')
if not was[1] and not was[4] and not was[6] and not was[8] then
  local known = cold_mark(block, cold, place)
  return known > 0 and { 'COLD', known } or { 'OK' }
end
if (was[1] or '') ~= '' or (was[2] == 'handover' and tonumber(was[3] or '0') > call.now_ms) then
  return { 'BUSY', 'held' }
end
if (was[4] or '0') ~= seq or (was[5] or '') ~= hash or (was[6] or '0') ~= posts or
  (was[8] or '0') ~= asked or (was[10] or '0') ~= epoch then
  return { 'BUSY', 'changed' }
end
if posts ~= (was[7] or '0') then
  return { 'BUSY', 'something waits in its inbox' }
end
-- E1: what it has sent stays until it has been read.
if tonumber(was[9] or '0') > out_read then
  return { 'BUSY', 'something waits in its channel' }
end
if seq == '0' and (asked ~= '0' or posts ~= '0') then
  return { 'BUSY', 'it was never written' }
end

-- The first write: where Redis refuses, nothing has happened.
if mark > 0 then
  set_cold_mark(block, cold, place, mark)
end
call.wrote = true
redis.call('UNLINK', meta, log, out, inbox, posted, ckpt0, ckpt1, geo)
return { 'OK' }
