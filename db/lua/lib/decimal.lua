-- Whole numbers of any size as text without leading zeros: epochs are microseconds, beyond 1e14.

local function is_decimal(text)
  return #text <= 20 and (text == '0' or string.find(text, '^[1-9]%d*$') ~= nil)
end

local function decimal_below(a, b)
  if #a ~= #b then
    return #a < #b
  end
  return a < b
end

-- Adds one. At most one step per digit.
local function decimal_next(text)
  local nines = #string.match(text, '9*$')
  local zeros = string.rep('0', nines)
  local kept = string.sub(text, 1, #text - nines)
  if kept == '' then
    return '1' .. zeros
  end
  return string.sub(kept, 1, -2) .. (tonumber(string.sub(kept, -1)) + 1) .. zeros
end
