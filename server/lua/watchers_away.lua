-- Which of those who watch have had no connection on any node for so long.
-- Guarantee: never early, by Redis' own clock; who is connected now is not among them, and begins anew when they go.
-- Who is named no longer is forgotten. Without its key everybody begins anew.
-- KEYS: since when each of them is away (zset). The directory is found on the way (one Redis, not a cluster).
-- ARGV: prefix of the shop's keys, how long in ms, when to forget without another look in ms, people...
-- RETURNS those who are.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known, still, gone = {}, {}, {}
local since = call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #since, 2 do known[since[at]] = tonumber(since[at + 1]) end
for at = 4, #ARGV do
  local person = ARGV[at]
  if call('EXISTS', ARGV[1] .. 'at:' .. person) == 0 then
    local left = known[person] or now
    still[person] = left
    if now - left >= tonumber(ARGV[2]) then gone[#gone + 1] = person end
  end
end
call('DEL', KEYS[1])
for person, left in pairs(still) do call('ZADD', KEYS[1], left, person) end
call('PEXPIRE', KEYS[1], ARGV[3])
return gone
