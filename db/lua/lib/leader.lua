-- Who leads a layer: at most one at a time, by the clock of the server.

local function is_leader(text)
  return #text <= 64 and string.find(text, '^[%w_-]+$') ~= nil
end

-- How long the lead goes on: no longer than its own term, wherever the clock has gone meanwhile.
local function lead_left_ms(call, deadline, ttl)
  return math.min(tonumber(deadline or '0') - call.now_ms, tonumber(ttl or '0'))
end

-- Returns the refusal of who does not lead in this term, or false.
local function lead_refusal(call, leader, name, term)
  local lead = redis.call('HMGET', leader, 'name', 'term', 'deadline', 'ttl')
  local holder = lead[1] or ''
  if holder == '' or lead_left_ms(call, lead[3], lead[4]) <= 0 then
    return { 'DEPOSED', '' }
  end
  if holder ~= name or tonumber(lead[2]) ~= term then
    return { 'DEPOSED', holder }
  end
  return false
end
