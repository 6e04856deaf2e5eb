-- unconfirmed: decisions of a certain age that nobody confirmed.
-- GUARANTEE: changes nothing; oldest first. Engine.unconfirmed.
-- USES:
-- KEYS: prefix
-- ARGV: now older_than limit
-- RETURNS: encoded decisions
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local names = redis.call('ZRANGEBYSCORE', KEYS[1] .. 'unconfirmed', '-inf', now - ARGV[2], 'LIMIT', 0, ARGV[3])
if #names == 0 then return names end
return redis.call('HMGET', KEYS[1] .. 'decisions', unpack(names))
