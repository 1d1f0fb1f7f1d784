"""The scripts that move jobs where all replicas see it: the only place that knows how a job lies in WARMING_CACHE.

Each runs in the server, whole and alone, so whoever dies in the midst of one has done it or has not. All may be sent
twice, as happens where a connection breaks before the answer has come.

job:<job>       a hash: what it is, its state, its counts; `fence` numbers the times that a batch was handed out
queue:<job>     a stream of its batches' numbers; the group "replicas" has those that are in hand
hand:<job>      a hash: by batch, the fence of whoever has it in hand
record:<job>    a hash: by batch, what became of its searches
tally:<job>     a hash: by batch, its counts, after "F" when it is finished and "P" while it is not

A job that ends has its library until its report is kept, and stays among the open ones until it is closed, which takes
away all of these but the first.
"""

BEGIN = """
-- KEYS: job, open jobs, all jobs, the jobs of the library, the claim on the library, the claim of the request
-- ARGV: id, fingerprint, what ids of jobs follow, "1" for a library, "1" for a request, then fields and values
local id, fingerprint = ARGV[1], ARGV[2]
if ARGV[5] == '1' then
  local claim = redis.call('GET', KEYS[6])
  if claim then
    local known, print = string.match(claim, '^(.-) (.*)$')
    if print ~= fingerprint then return {'REUSED', known} end
    if redis.call('EXISTS', ARGV[3] .. known) == 1 then return {'SAME', known} end
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then return {'NEW', id} end
if ARGV[4] == '1' then
  local holder = redis.call('GET', KEYS[5])
  if holder and redis.call('ZSCORE', KEYS[2], holder) then return {'BUSY', holder} end
  redis.call('SET', KEYS[5], id)
end
if ARGV[5] == '1' then redis.call('SET', KEYS[6], id .. ' ' .. fingerprint) end
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
for key = 2, 4 do redis.call('ZADD', KEYS[key], 0, id) end
return {'NEW', id}
"""

MOVE = """
-- KEYS: job, queue, hand
-- ARGV: to, the states it may come from, "1" when it ends there, the time, then fields and values
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'GONE' end
if state == ARGV[1] then return state end
if not string.find(ARGV[2], ' ' .. state .. ' ', 1, true) then return state end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'update_time', ARGV[4], unpack(ARGV, 5))
if ARGV[1] == 'RUNNING' then redis.call('HSETNX', KEYS[1], 'start_time', ARGV[4]) end
redis.call('HDEL', KEYS[1], ARGV[1] == 'WAITING' and 'none' or 'resume_time')
if ARGV[3] == '1' then redis.call('DEL', KEYS[2], KEYS[3]) end
return ARGV[1]
"""

PLANNED = """
-- KEYS: job. ARGV: the time, then fields and values
-- A plan that is known already stays; a job that has ended takes none.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'SUCCEEDED' or state == 'FAILED' or state == 'CANCELLED' then return 0 end
if redis.call('HEXISTS', KEYS[1], 'plan') == 0 then redis.call('HSET', KEYS[1], unpack(ARGV, 2)) end
if state == 'PENDING' then
  redis.call('HSET', KEYS[1], 'state', 'RUNNING', 'start_time', ARGV[1], 'update_time', ARGV[1])
end
return 1
"""

FEED = """
-- KEYS: job, queue, tally
-- ARGV: how many batches lie there already, the number of the first of these, how many
-- What lay on a stream that is not there any more is put there anew; batches that are finished stay so.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'SUCCEEDED' or state == 'FAILED' or state == 'CANCELLED' then return -1 end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[2], 'replicas', '0', 'MKSTREAM')
  redis.call('HSET', KEYS[1], 'fed', 0)
end
local fed = tonumber(redis.call('HGET', KEYS[1], 'fed'))
if fed ~= tonumber(ARGV[1]) then return fed end
for number = ARGV[2], ARGV[2] + ARGV[3] - 1 do
  if string.sub(redis.call('HGET', KEYS[3], number) or '', 1, 1) ~= 'F' then
    redis.call('XADD', KEYS[2], '*', 'n', string.format('%d', number))
  end
end
fed = fed + ARGV[3]
redis.call('HSET', KEYS[1], 'fed', fed)
return fed
"""

TAKE = """
-- KEYS: job, queue, hand, record, tally
-- ARGV: who takes, milliseconds without a word after which whoever has a batch is taken for dead
local state = redis.call('HGET', KEYS[1], 'state') or 'GONE'
if state ~= 'RUNNING' then return {state} end
if redis.call('EXISTS', KEYS[2]) == 0 then return {'NONE'} end
local found, cursor = {}, '0-0'
repeat
  -- One look goes over ten batches in hand, and there may be more.
  local look = redis.call('XAUTOCLAIM', KEYS[2], 'replicas', ARGV[1], ARGV[2], cursor, 'COUNT', 1)
  cursor, found = look[1], look[2]
until #found > 0 or cursor == '0-0'
if #found == 0 then
  local read = redis.call('XREADGROUP', 'GROUP', 'replicas', ARGV[1], 'COUNT', 1, 'STREAMS', KEYS[2], '>')
  found = read and read[1][2] or {}
end
if #found == 0 then return {'NONE'} end
local entry, number = found[1][1], found[1][2][2]
if string.sub(redis.call('HGET', KEYS[5], number) or '', 1, 1) == 'F' then
  redis.call('XACK', KEYS[2], 'replicas', entry)
  redis.call('XDEL', KEYS[2], entry)
  return {'AGAIN'}
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[3], number, fence)
return {'BATCH', number, entry, fence, redis.call('HGET', KEYS[4], number) or ''}
"""

NOTE = """
-- KEYS: job, queue, hand, record, tally
-- ARGV: batch, fence, entry, who has it, "keep", "finish" or "release", the time, seconds between two reckonings,
--       the record, then the names and the numbers of its counts
local number = ARGV[1]
local state = redis.call('HGET', KEYS[1], 'state') or 'GONE'
if redis.call('HGET', KEYS[3], number) ~= ARGV[2] then return {'LOST', state} end
local counts, settled = {}, 0
local before = redis.call('HGET', KEYS[5], number) or 'P'
local known = {}
for count in string.gmatch(string.sub(before, 2), '%d+') do known[#known + 1] = tonumber(count) end
for at = 9, #ARGV, 2 do
  local count = tonumber(ARGV[at + 1])
  counts[#counts + 1] = string.format('%d', count)
  local now = redis.call('HINCRBY', KEYS[1], ARGV[at], count - (known[#counts] or 0))
  if #counts <= 5 then settled = settled + now end
end
redis.call('HSET', KEYS[4], number, ARGV[8])
redis.call('HSET', KEYS[5], number, (ARGV[5] == 'finish' and 'F' or 'P') .. table.concat(counts, ','))
local now = tonumber(ARGV[6])
local speed = redis.call('HMGET', KEYS[1], 'speed_time', 'speed_settled', 'speed')
local since = now - tonumber(speed[1] or now)
if not speed[1] then
  redis.call('HSET', KEYS[1], 'speed_time', ARGV[6], 'speed_settled', settled)
elseif since >= tonumber(ARGV[7]) then
  local latest = (settled - tonumber(speed[2])) / since
  local smooth = speed[3] and (tonumber(speed[3]) + latest) / 2 or latest
  redis.call('HSET', KEYS[1], 'speed_time', ARGV[6], 'speed_settled', settled, 'speed', tostring(smooth))
end
redis.call('HSET', KEYS[1], 'update_time', ARGV[6])
if ARGV[5] == 'finish' then
  redis.call('XACK', KEYS[2], 'replicas', ARGV[3])
  redis.call('XDEL', KEYS[2], ARGV[3])
  redis.call('HDEL', KEYS[3], number)
  redis.call('HINCRBY', KEYS[1], 'done', 1)
elseif ARGV[5] == 'release' then
  redis.call('HDEL', KEYS[3], number)
  redis.call('XCLAIM', KEYS[2], 'replicas', ARGV[4], 0, ARGV[3], 'IDLE', 3600000, 'JUSTID')
else
  redis.call('XCLAIM', KEYS[2], 'replicas', ARGV[4], 0, ARGV[3], 'JUSTID')
end
return {'OK', state}
"""

KEPT = """
-- KEYS: job, the claim on the library, queue, hand. ARGV: id, the time
-- What an ended job left undone is noted, and its report is kept; one that is at work has succeeded with that. It lets
-- go of its library, for nothing of it is needed for the next job.
local state = redis.call('HGET', KEYS[1], 'state') or 'GONE'
if state == 'RUNNING' then
  state = 'SUCCEEDED'
  redis.call('HSET', KEYS[1], 'state', state, 'end_time', ARGV[2], 'update_time', ARGV[2])
end
if state ~= 'SUCCEEDED' and state ~= 'FAILED' and state ~= 'CANCELLED' then return state end
redis.call('HSET', KEYS[1], 'kept', 1)
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
redis.call('DEL', KEYS[3], KEYS[4])
return state
"""

CLOSED = """
-- KEYS: job, open jobs, the claim on the library, record, tally. ARGV: id
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
if redis.call('HEXISTS', KEYS[1], 'kept') == 1 then
  redis.call('DEL', KEYS[4], KEYS[5])
  redis.call('HDEL', KEYS[1], 'asked')
end
return 1
"""

FORGET = """
-- KEYS: job, open jobs, all jobs, the jobs of the library, the claim of the request, record, tally. ARGV: id
-- One that somebody is at work on stays.
if redis.call('ZSCORE', KEYS[2], ARGV[1]) and redis.call('HEXISTS', KEYS[1], 'kept') == 0 then return 0 end
local claim = redis.call('GET', KEYS[5])
if claim and string.match(claim, '^(.-) ') == ARGV[1] then redis.call('DEL', KEYS[5]) end
redis.call('DEL', KEYS[1], KEYS[6], KEYS[7])
for key = 2, 4 do redis.call('ZREM', KEYS[key], ARGV[1]) end
return 1
"""
