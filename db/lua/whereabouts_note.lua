-- Note in which cells entities were seen. A hint: it may be lost, and is rebuilt from state.
--
-- @arg        incarnation  decimal
-- @each-key   dir          hash: by id, the cell plus 1 (0: it died there) and the tick
-- @each-key   died         list: the last ids that died
-- @each-list  notes        id:decimal place:integer tick:integer; max NOTES_PER_CALL_MAX
-- @returns    OK
-- @returns    TOOBIG message:string
-- @include    lib/limits lib/decimal lib/call

-- S-3: a list of another type is found before the first write.
redis.call('LLEN', died)
for i = 1, notes_count * 3, 3 do
  local id, place, tick = notes[i], notes[i + 1], notes[i + 2]
  local known = redis.call('HGET', dir, id)
  -- N1: of two notes the later tick stands; pods write theirs when they can.
  if not known or tonumber(string.match(known, '%d+$')) < tick then
    redis.call('HSET', dir, id, string.format('%.0f:%.0f', place, tick))
    call.wrote = true
    -- That it died is remembered for a while, so that an earlier note that is late does not bring
    -- it back.
    if place == 0 and redis.call('RPUSH', died, id) > DEATHS_NOTED_MAX then
      local oldest = redis.call('LPOP', died)
      redis.call('HDEL', dir, oldest)
    end
  end
end
return { 'OK' }
