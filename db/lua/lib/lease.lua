-- What the lease functions and the commit agree on.

local function is_nonce(text)
  return #text <= NONCE_BYTES_MAX and string.find(text, '^[%w_-]+%.[%w_-]+$') ~= nil
end

local function is_pod(text)
  return #text <= 64 and string.find(text, '^[%w_-]+$') ~= nil
end

-- A nonce is `<pod>.<random>`.
local function pod_of(nonce)
  return string.match(nonce, '^[^.]*') or ''
end

local function fenced(nonce, epoch)
  return { 'FENCED', nonce or '', epoch or '0' }
end

-- Appends to `fields` what ends the lease of `nonce`. `past` remembers the nonce, so that repeating
-- the call that ended it, or the acquisition it came from, is recognised.
local function end_lease(fields, call, nonce, cause, heir)
  local n = #fields
  fields[n + 1], fields[n + 2] = 'nonce', ''
  fields[n + 3], fields[n + 4] = 'deadline', 0
  fields[n + 5], fields[n + 6] = 'suspect', 0
  fields[n + 7], fields[n + 8] = 'past', nonce
  fields[n + 9], fields[n + 10] = 'cause', cause
  fields[n + 11], fields[n + 12] = 'from', pod_of(nonce)
  fields[n + 13], fields[n + 14] = 'heir', heir
  fields[n + 15], fields[n + 16] = 'until', heir == '' and 0 or call.now_ms + HANDOVER_MS
end

-- A holder that gives a cell back has not failed at it: its acquisition is not counted.
local function forgive(fields, attempts)
  local counted = tonumber(attempts or '0') or 0
  if counted > 0 then
    fields[#fields + 1] = 'attempts'
    fields[#fields + 1] = counted - 1
  end
end

-- The deadline of a lease that begins or goes on now, as text, or nil if the term is out of range.
-- PERF: a call carries one term for all its cells; writing a number as text costs 0.5 us.
local function deadline_of(call, ttl_ms)
  local known = call.deadlines[ttl_ms]
  if known == nil then
    local term = tonumber(ttl_ms)
    known = term >= 1 and term <= LEASE_TTL_MS_MAX and string.format('%.0f', call.now_ms + term)
    call.deadlines[ttl_ms] = known
  end
  return known
end

-- Makes what every commit reads, in the order in which it reads, where it is not there yet.
-- PERF: a small hash is a list that is searched from its beginning; a field that is missing costs a
-- search of all of it.
local function open_meta(meta)
  local names = { 'nonce', 'epoch', 'seq', 'hash', 'tick', 'ids', 'last', 'deadline', 'suspect',
    'attempts', 'ttl', 'out', 'inbox', 'posts' }
  for i = 1, #names do
    local is_text = i == 1 or i == 4
    redis.call('HSETNX', meta, names[i], is_text and '' or '0')
  end
end
