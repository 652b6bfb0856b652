-- Append one tick to cells, under their leases, atomically with everything that must agree with it.
--
-- Everything is checked before the first write, and the first write is the append itself: when
-- Redis is out of memory, replicas or disk, it refuses there, and nothing has happened.
--
-- @arg        incarnation  decimal
-- @arg        log_keep     integer
-- @each-key   block        hash: incarnation, sealed
-- @each-key   meta         hash: lease and head
-- @each-key   log          stream: one entry a commit
-- @each-key?  out          stream: the cell's channel, when it is written or trimmed
-- @each-key?  inbox        stream: when posts were consumed
-- @each-key?  ckpt0        hash: seq, hash, tick, body; when there is a checkpoint
-- @each-key?  ckpt1        hash: the other checkpoint
-- @each-key?  geo          geo index: when entities moved in it
-- @each-arg   nonce        string
-- @each-arg   epoch        string
-- @each-arg   seq          decimal
-- @each-arg   prev_hash    string
-- @each-arg   hash         string
-- @each-arg   tick         decimal
-- @each-arg   id_counter   decimal
-- @each-arg   ttl_ms       decimal
-- @each-arg   body         bytes
-- @each-arg?  inbox_from   integer
-- @each-arg?  inbox_to     integer
-- @each-arg?  inbox_keep   integer
-- @each-arg?  out_trim_to  integer
-- @each-arg?  ending       string
-- @each-arg?  heir         string
-- @each-arg?  checkpoint   bytes
-- @each-list  cursors      cell:integer from:integer to:integer; max CURSORS_PER_COMMIT_MAX
-- @each-list  outs         seq:integer to:integer body:bytes; max OUT_PER_COMMIT_MAX
-- @each-list  geo_puts     score:number id:string; max GEO_PER_COMMIT_MAX
-- @each-list  geo_drops    id:string; max GEO_PER_COMMIT_MAX
-- @returns    OK now_ms:integer inbox_length:integer
-- @returns    ALREADY
-- @returns    FENCED nonce:string epoch:string
-- @returns    HEAD seq:integer hash:string
-- @returns    BADCURSOR message:string
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call lib/block lib/entry lib/lease lib/commit

-- 1. The arguments are complete and within limits.
-- PERF: what is only passed on stays text; each number written as text would cost 0.5 us.
local deadline = deadline_of(call, ttl_ms)
local fault = commit_fault(nonce, seq, hash, deadline, ending, heir)
  or (geo_puts_count + geo_drops_count > 0 and not geo and 'geo: its key is missing')
  or (checkpoint ~= '' and not (ckpt0 and ckpt1) and 'checkpoint: its keys are missing')
  or (inbox_to ~= inbox_from and not inbox and 'inbox: its key is missing')
  or ((outs_count > 0 or out_trim_to > 0) and not out and 'out: its key is missing')
if fault then
  return { 'BADARG', fault }
end
local bytes = #body + #checkpoint + outs_bytes(outs, outs_count)
call.bytes = call.bytes + bytes
if bytes > BYTES_PER_CELL_MAX or (call.items > 1 and call.bytes > BYTES_PER_CALL_MAX) then
  return { 'TOOBIG', BYTES_LIMIT_MESSAGE }
end
if geo_puts_count + geo_drops_count > GEO_PER_COMMIT_MAX then
  return { 'TOOBIG', 'a commit moves at most 256 entities in the index' }
end

-- 2. The world is here, in this incarnation, and open.
local refusal = block_refusal(call, block)
if refusal then
  return refusal
end

local was = redis.call('HMGET', meta, 'nonce', 'epoch', 'seq', 'hash', 'suspect', 'attempts', 'ttl',
  'out', 'inbox', 'posts')

-- 3. L1: nonce and epoch are the lease's at this instant. An expired lease that nobody took is
-- still its holder's.
if was[1] ~= nonce or was[2] ~= epoch then
  return fenced(was[1], was[2])
end

-- 4. L4: this very commit was applied before, and its reply was lost. It extends nothing.
local head_seq, head_hash = was[3] or '0', was[4] or ''
if head_seq == seq and head_hash == hash then
  return { 'ALREADY' }
end

-- 5. L3: the commit extends the head that the store has.
if tonumber(head_seq) + 1 ~= tonumber(seq) or head_hash ~= prev_hash then
  return { 'HEAD', tonumber(head_seq), head_hash }
end

-- 6. E1: cursors move forward by exactly what was consumed, and the channel has no gap.
local moved, cursor_fault = moved_cursors(meta, cursors, cursors_count)
local out_seq = tonumber(was[8] or '0')
local out_last = out_seq + outs_count
local inbox_at, posts = tonumber(was[9] or '0'), tonumber(was[10] or '0')
cursor_fault = cursor_fault
  or out_fault(out, outs, outs_count, out_seq)
  or (out_trim_to > out_last and 'out: trimmed beyond its end')
local freed
if not cursor_fault and inbox_to ~= inbox_from then
  freed, cursor_fault = inbox_freed(inbox, inbox_at, inbox_from, inbox_to, posts)
end
if cursor_fault then
  return { 'BADCURSOR', cursor_fault }
end
-- L3: a key of another type would stop the script halfway; reading it stops the script here.
if geo then
  redis.call('ZCARD', geo)
end
local slot, older_seq
if checkpoint ~= '' then
  redis.call('HLEN', ckpt0)
  redis.call('HLEN', ckpt1)
  slot, older_seq = older_slot(meta)
end

-- 7. The first write.
-- PERF: a stream keeps the names of fields once, as long as all entries have the same.
local consumed = freed and inbox_from .. ':' .. inbox_to or ''
local header = entry_header(epoch, prev_hash, hash, tick)
redis.call('XADD', log, seq .. '-0', 'h', header, 'b', body, 'i', consumed)
call.wrote = true

-- 8. What must agree with it.
for i = 1, outs_count * 3, 3 do
  redis.call('XADD', out, outs[i] .. '-0', 'd', outs[i + 1], 't', tick, 'b', outs[i + 2])
end
redis.call('HSET', meta, 'seq', seq, 'hash', hash, 'tick', tick, 'ids', id_counter, 'last',
  call.now_text, 'deadline', deadline)
local fields = moved
if outs_count > 0 then
  append(fields, 'out', out_last)
end
if freed then
  append(fields, 'inbox', inbox_to, 'postdone', freed)
  inbox_at = inbox_to
end
if slot then
  redis.call('HSET', slot == 0 and ckpt0 or ckpt1, 'seq', seq, 'hash', hash, 'tick', tick, 'body',
    checkpoint)
  append(fields, 'c' .. slot, seq .. ':' .. tick)
end
if was[6] ~= '0' then
  append(fields, 'attempts', '0')
end
if was[5] ~= '0' then
  append(fields, 'suspect', '0')
end
if was[7] ~= ttl_ms then
  append(fields, 'ttl', ttl_ms)
end
if ending == 'release' then
  end_lease(fields, call, nonce, 'released', '')
elseif ending == 'handover' then
  end_lease(fields, call, nonce, 'handover', heir)
end
if fields[1] then
  redis.call('HSET', meta, unpack(fields))
end

if older_seq and older_seq > 0 then
  -- Two checkpoints are kept, and what follows the older one: a reader may still be loading it.
  local needed_seq = math.min(older_seq, tonumber(seq) - log_keep)
  redis.call('XTRIM', log, 'MINID', (math.max(0, needed_seq) + 1) .. '-0')
end
if out_trim_to > 0 then
  redis.call('XTRIM', out, 'MINID', (out_trim_to + 1) .. '-0')
end
-- What is kept for a reader goes with the next commit that consumes something.
if freed and inbox_keep == 0 then
  redis.call('XTRIM', inbox, 'MINID', (inbox_to + 1) .. '-0')
end
if geo_drops_count > 0 then
  redis.call('ZREM', geo, unpack(geo_drops))
end
if geo_puts_count > 0 then
  -- PERF: what GEOADD would write, without its reading and writing of four numbers as text.
  redis.call('ZADD', geo, unpack(geo_puts))
end
return { 'OK', call.now_ms, posts - inbox_at }
