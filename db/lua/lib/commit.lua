-- The checks of a commit, one subject each. None of them writes.

local function commit_fault(nonce, seq, hash, deadline, ending, heir)
  if nonce == '' then
    return 'nonce: empty'
  end
  if seq == '0' or #seq > SEQ_DIGITS_MAX then
    return 'seq: not within 1 and 99999999999999'
  end
  if not is_hash(hash) then
    return 'hash: empty, too long or with a space'
  end
  if not deadline then
    return 'ttl_ms: not within 1 and 60000'
  end
  if ending == '' or ending == 'release' then
    return nil
  end
  if ending ~= 'handover' then
    return 'ending: not release or handover'
  end
  if not is_pod(heir) then
    return 'heir: not the name of a pod'
  end
  return nil
end

local function outs_bytes(outs, count)
  local bytes = 0
  for i = 3, count * 3, 3 do
    bytes = bytes + #outs[i]
  end
  return bytes
end

-- Returns the fields that move the channel cursors, or what does not fit.
local function moved_cursors(meta, cursors, count)
  local fields = {}
  if count == 0 then
    return fields
  end
  local names = {}
  for i = 1, count do
    names[i] = 'in:' .. cursors[i * 3 - 2]
  end
  local at = redis.call('HMGET', meta, unpack(names))
  local seen = {}
  for i = 1, count do
    local from, to, name = cursors[i * 3 - 1], cursors[i * 3], names[i]
    if tonumber(at[i] or '0') ~= from then
      return fields, name .. ': the store is at ' .. (at[i] or '0')
    end
    if to <= from then
      return fields, name .. ': does not move forward'
    end
    if seen[name] then
      return fields, name .. ': given twice'
    end
    seen[name] = true
    fields[i * 2 - 1], fields[i * 2] = name, to
  end
  return fields
end

-- Channel entries continue where the channel ends. What lies beyond its end would stop an append
-- halfway, so it is looked for here.
local function out_fault(out, outs, count, out_seq)
  if count > 0 then
    for i = 1, count do
      if outs[i * 3 - 2] ~= out_seq + i then
        return 'out: the channel is at ' .. string.format('%.0f', out_seq)
      end
    end
  end
  if out then
    local beyond = redis.call('XRANGE', out, (out_seq + 1) .. '-0', '+', 'COUNT', 1)
    if beyond[1] then
      return 'out: the stream is ahead of the channel'
    end
  end
  return nil
end

-- Returns the bytes consumed since the inbox began, or nil and what does not fit.
local function inbox_freed(inbox, at, from, to, posts)
  if at ~= from then
    return nil, 'inbox: the store is at ' .. string.format('%.0f', at)
  end
  if to < from or to > posts then
    return nil, 'inbox: ' .. string.format('%.0f', to) .. ' was never posted'
  end
  local entry = redis.call('XRANGE', inbox, to .. '-0', to .. '-0')[1]
  if not entry then
    return nil, 'inbox: the entry consumed last is missing'
  end
  return tonumber(entry[2][4])
end

-- The slot that the next checkpoint goes to, and the log position of the one that is then older.
local function older_slot(meta)
  local slots = redis.call('HMGET', meta, 'c0', 'c1')
  local seq0 = tonumber(string.match(slots[1] or '', '^%d+') or '0')
  local seq1 = tonumber(string.match(slots[2] or '', '^%d+') or '0')
  if seq0 <= seq1 then
    return 0, seq1
  end
  return 1, seq0
end

-- Adds one or two fields and their values.
local function append(fields, name, value, second_name, second_value)
  local n = #fields
  fields[n + 1], fields[n + 2] = name, value
  fields[n + 3], fields[n + 4] = second_name, second_value
end
