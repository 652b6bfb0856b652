-- The gate of every call on a cell: is this world, in this incarnation, here and open?

local NOWORLD = { 'NOWORLD' }
local SEALED = { 'SEALED' }

-- Returns the refusal, or false. PERF: the block is read once per call, not once per cell.
local function block_refusal(call, block)
  local known = call.blocks[block]
  if known == nil then
    local state = redis.call('HMGET', block, 'incarnation', 'sealed')
    known = (state[1] ~= call.incarnation and NOWORLD) or (state[2] == '1' and SEALED) or false
    call.blocks[block] = known
  end
  return known
end
