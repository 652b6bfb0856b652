-- Cells that have left Redis. Of each its block keeps four bytes, by layer and by its place in the
-- block: of which state it was, so that no other one is ever put back. 0 = it has not left.

local COLD_MARK_BYTES = 4
local COLD_MARK_MAX = 4294967295

local function cold_mark(block, field, place)
  local marks = redis.call('HGET', block, field)
  local at = place * COLD_MARK_BYTES
  if not marks or #marks < at + COLD_MARK_BYTES then
    return 0
  end
  local a, b, c, d = string.byte(marks, at + 1, at + COLD_MARK_BYTES)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function set_cold_mark(block, field, place, mark)
  local marks = redis.call('HGET', block, field) or ''
  local at = place * COLD_MARK_BYTES
  if #marks < at then
    marks = marks .. string.rep('\0', at - #marks)
  end
  marks = string.sub(marks, 1, at) .. struct.pack('>I4', mark) ..
    string.sub(marks, at + COLD_MARK_BYTES + 1)
  marks = string.match(marks, '^(.-)%z*$')
  -- Whole marks: one may end with a zero of its own.
  marks = marks .. string.rep('\0', -#marks % COLD_MARK_BYTES)
  if marks == '' then
    redis.call('HDEL', block, field)
  else
    redis.call('HSET', block, field, marks)
  end
end
