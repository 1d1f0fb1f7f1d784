"""The one script that counts a call where all processes see it: the only place that knows how the counts lie there.

It runs in the server, whole and alone, and goes by the server's clock, so that neither races nor the clocks of those
who ask can make a call too many.
"""

SCRIPT = """
-- KEYS: the counts of an account, and the turns that were given back. Times are microseconds, of the server's clock.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local asked = ARGV[1]
local interval, tolerance = tonumber(ARGV[2]), tonumber(ARGV[3])
local begins, ends = tonumber(ARGV[4]), tonumber(ARGV[5])       -- the day, as the caller's calendar has it
local allows, patience = tonumber(ARGV[6]), tonumber(ARGV[7])   -- of the day for this class of work, or -1; at most
local owed = tonumber(ARGV[8])                                  -- calls that were counted elsewhere meanwhile
local mine, counted = tonumber(ARGV[9]), tonumber(ARGV[10])     -- the caller's turn, and the end of the day it is in
local row = redis.call('HMGET', KEYS[1], 'turn', 'ends', 'used', 'exhausted', 'held')
local turn, reset, used = tonumber(row[1] or 0), tonumber(row[2] or 0), tonumber(row[3] or 0)
local exhausted, held = tonumber(row[4] or 0), tonumber(row[5] or 0)

if reset <= now then
  if begins > now or ends <= now then return {'OTHER_DAY', now, 0, 0, 0, 0, 0} end
  reset, used, exhausted = ends, 0, 0
end

local function answer(word, at)
  if asked ~= 'look' then
    used = used + owed
    redis.call('HSET', KEYS[1], 'turn', turn, 'ends', reset, 'used', used, 'exhausted', exhausted, 'held', held)
    redis.call('PEXPIREAT', KEYS[1], math.ceil(math.max(turn, reset) / 1000))
  end
  return {word, now, at, math.max(turn - tolerance, now), used, reset, exhausted}
end

-- The generic cell rate algorithm, promising the turn at once: who comes later gets a later one, so nobody starves.
local function next_turn(uncounted)
  local given_back = redis.call('ZRANGEBYSCORE', KEYS[2], now, '+inf', 'LIMIT', 0, 1)[1]
  local at = tonumber(given_back) or math.max(turn - tolerance, now)
  if at - now > patience then
    used = used + uncounted - 1
    return answer('LATE', at)
  end
  if given_back then redis.call('ZREM', KEYS[2], given_back) else turn = math.max(turn, now) + interval end
  used = used + uncounted
  return answer('TURN', at)
end

if asked == 'take' then
  if exhausted == 1 or (allows >= 0 and used + owed >= allows) then return answer('SPENT', 0) end
  return next_turn(1)
elseif asked == 'go' then
  local uncounted = counted == reset and 0 or 1                 -- one that waited past the reset is the new day's
  if mine < held then return next_turn(uncounted) end           -- a pause came between, and its turn is void
  used = used + uncounted
  return answer('TURN', mine)
elseif asked == 'give_back' then
  if counted == reset then used = used - 1 end
  if mine >= held and mine == turn - interval - tolerance then
    turn = turn - interval
  elseif mine >= held and mine > now then
    redis.call('ZADD', KEYS[2], mine, string.format('%.0f', mine))
    redis.call('PEXPIREAT', KEYS[2], math.ceil(turn / 1000) + 1000)
  end
elseif asked == 'hold' then
  held = math.max(held, now + patience)
  turn = math.max(turn, held + tolerance)
  redis.call('DEL', KEYS[2])
elseif asked == 'exhaust' then
  exhausted = 1
end
return answer('DONE', 0)
"""
