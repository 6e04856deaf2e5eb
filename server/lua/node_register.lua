-- A node incarnation begins. Makes the epoch when there is none: Redis is new, or has lost everything.
-- KEYS: epoch, nodes, lease. ARGV: node, lease in ms, epoch to use when there is none.
-- RETURNS the epoch. Beside each name in nodes: when it was last heard, in ms of Redis' clock.
local call = redis.call
call('SET', KEYS[1], ARGV[3], 'NX')
local t = call('TIME')
call('HSET', KEYS[2], ARGV[1], t[1] * 1000 + math.floor(t[2] / 1000))
call('SET', KEYS[3], '1', 'PX', ARGV[2])
return call('GET', KEYS[1])
