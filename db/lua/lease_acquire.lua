-- Take the lease of cells that are free, released to the caller, or expired for the second time.
--
-- The clock is the server's, and it is not trusted either: a stalled server or a clock step makes
-- every lease look expired at once, so the first who finds one expired only marks it. The leases of
-- pods that the caller believes dead (`dead`: their names, each followed by a space) end here, as
-- by lease_revoke, whose duties the caller has (L5).
--
-- @arg       incarnation  decimal
-- @arg       grace_ms     integer
-- @arg       dead         string
-- @each-key  block        hash: incarnation, sealed
-- @each-key  meta         hash: lease and head
-- @each-arg  nonce        string
-- @each-arg  ttl_ms       integer
-- @each-arg  cold         string
-- @each-arg  place        integer
-- @returns   GRANTED epoch:string attempts:integer cause:string from:string last_at_ms:integer now_ms:integer head:map
-- @returns   HELD nonce:string deadline_ms:integer now_ms:integer
-- @returns   SUSPECT nonce:string retry_in_ms:integer now_ms:integer
-- @returns   COLD mark:integer
-- @returns   RESERVED heir:string retry_in_ms:integer now_ms:integer
-- @include   lib/limits lib/decimal lib/call lib/block lib/cold lib/lease

if not is_nonce(nonce) then
  return { 'BADARG', 'nonce: not <pod>.<random>' }
end
if ttl_ms < 1 or ttl_ms > LEASE_TTL_MS_MAX then
  return { 'BADARG', 'ttl_ms: not within 1 and 60000' }
end
if #dead > DEAD_BYTES_MAX then
  return { 'BADARG', 'dead: too many pods' }
end
if grace_ms > GRACE_MS_MAX then
  return { 'BADARG', 'grace_ms: above 60000' }
end
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local now_ms = call.now_ms
local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'deadline', 'suspect', 'attempts', 'ttl',
  'cause', 'from', 'heir', 'until', 'past', 'last', 'prev')
if not was[2] then
  local mark = cold_mark(block, cold, place)
  if mark > 0 then
    return { 'COLD', mark }
  end
end
local holder, epoch, attempts = was[1] or '', was[2] or '0', tonumber(was[5] or '0')
local cause, from, last_at_ms = was[7] or 'free', was[8] or '', tonumber(was[12] or '0')

-- L4: the reply of this very acquisition was lost. Nothing changes, the deadline neither.
if holder == nonce then
  return { 'GRANTED', epoch, attempts, cause, from, tonumber(was[13] or '0'), now_ms,
    redis.call('HGETALL', meta) }
end
-- L2: a nonce is used once. This one has ended: the call is a late duplicate.
if was[11] == nonce then
  return { 'BADARG', 'nonce: was used before' }
end

if holder ~= '' and string.find(' ' .. dead, ' ' .. pod_of(holder) .. ' ', 1, true) then
  cause, from = 'revoked', pod_of(holder)
elseif holder ~= '' then
  local deadline_ms, ttl_was = tonumber(was[3] or '0'), tonumber(was[6] or '0')
  -- L5: no deadline lies further ahead than its own term, or a clock that went back would keep the
  -- cells of a dead holder for as long as the step was.
  if deadline_ms > now_ms + ttl_was then
    deadline_ms = now_ms + ttl_was
    redis.call('HSET', meta, 'deadline', deadline_ms)
  end
  if deadline_ms > now_ms then
    return { 'HELD', holder, deadline_ms, now_ms }
  end
  -- L5: the first strike only marks. A commit or renewal within the grace time clears the mark.
  local suspect_ms = tonumber(was[4] or '0')
  if suspect_ms == 0 or suspect_ms > now_ms then
    redis.call('HSET', meta, 'suspect', now_ms)
    return { 'SUSPECT', holder, grace_ms, now_ms }
  end
  if now_ms < suspect_ms + grace_ms then
    return { 'SUSPECT', holder, suspect_ms + grace_ms - now_ms, now_ms }
  end
  cause, from = 'expired', pod_of(holder)
elseif cause == 'handover' and was[9] ~= pod_of(nonce) then
  local until_ms = tonumber(was[10] or '0')
  if until_ms > now_ms + HANDOVER_MS then
    until_ms = now_ms + HANDOVER_MS
    redis.call('HSET', meta, 'until', until_ms)
  end
  if until_ms > now_ms then
    return { 'RESERVED', was[9] or '', until_ms - now_ms, now_ms }
  end
  cause = 'released'
end

-- L2: epochs rise even where a lost timeline has issued higher ones, unless the clock went back.
epoch = decimal_next(epoch)
if decimal_below(epoch, call.now_us) then
  epoch = call.now_us
end
attempts = attempts + 1
if not was[2] then
  open_meta(meta)
end
redis.call('HSET', meta, 'nonce', nonce, 'epoch', epoch, 'deadline', now_ms + ttl_ms, 'suspect', 0,
  'attempts', attempts, 'ttl', ttl_ms, 'cause', cause, 'from', from, 'heir', '', 'until', 0,
  'past', holder ~= '' and holder or was[11] or '', 'last', now_ms, 'prev', last_at_ms)
return { 'GRANTED', epoch, attempts, cause, from, last_at_ms, now_ms, redis.call('HGETALL', meta) }
