-- What every function shares: the state of one call, its arguments, and the answer to a fault.

local BYTES_LIMIT_MESSAGE = 'a call carries at most 524288 bytes, one cell alone twice as many'

-- One reading of the clock per call: TIME moves while a script runs.
local function open_call(incarnation)
  local time = redis.call('TIME')
  local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return {
    incarnation = incarnation,
    now_ms = now_ms,
    now_text = string.format('%.0f', now_ms),
    deadlines = {},
    now_us = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2])),
    blocks = {},
    bytes = 0,
    wrote = false,
  }
end

local function is_integer(n)
  return n ~= nil and n >= 0 and n <= INTEGER_MAX and n % 1 == 0
end

local NOTHING = {}

-- Reads the list behind `at`: the number of rows, then the rows, into one flat table that nobody
-- changes. Types of the columns: i integer, d decimal text, n text of a number, s text or bytes.
-- Returns the table, the number of rows, the last position read, and the refusal if something is
-- wrong. PERF: column by column, and the text of a number stays as it came: what is only passed on
-- costs a fifth of what a search by pattern for each would.
local function take_list(args, at, stop, types, max)
  local rows, width = tonumber(args[at + 1]), #types
  if not is_integer(rows) or at + 1 + rows * width > stop then
    return NOTHING, 0, at + 1, { 'BADARG', 'a list is cut short' }
  end
  if rows > max then
    return NOTHING, 0, at + 1, { 'TOOBIG', 'a list has more than ' .. max .. ' rows' }
  end
  local last = at + 1 + rows * width
  local list, fault = { unpack(args, at + 2, last) }, nil
  for column = 1, width do
    local kind = string.sub(types, column, column)
    if kind == 'i' then
      for i = column, rows * width, width do
        local value = tonumber(list[i])
        list[i] = value
        fault = fault or (not is_integer(value) and 'a list: not a whole number')
      end
    elseif kind == 'd' then
      for i = column, rows * width, width do
        fault = fault or (not is_decimal(list[i]) and 'a list: not a decimal number')
      end
    elseif kind == 'n' then
      for i = column, rows * width, width do
        local value = tonumber(list[i])
        fault = fault or (not (value and value >= 0) and 'a list: not a number from 0 on')
      end
    end
  end
  return list, rows, last, fault and { 'BADARG', fault } or nil
end

-- The answer when a command failed. Before the first write nothing has happened, and the caller
-- may act on that; after it the cell needs a person.
local function failure(call, err)
  local message = type(err) == 'table' and err.err or tostring(err)
  return { call.wrote and 'BROKEN' or 'REFUSED', message }
end
