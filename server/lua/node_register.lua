-- A node incarnation begins. Makes the epoch when there is none: Redis is new, or has lost everything.
-- KEYS: epoch, nodes, lease. ARGV: node, lease in ms, epoch to use when there is none.
-- RETURNS the epoch.
local call = redis.call
call('SET', KEYS[1], ARGV[3], 'NX')
call('HSET', KEYS[2], ARGV[1], call('TIME')[1])
call('SET', KEYS[3], '1', 'PX', ARGV[2])
return call('GET', KEYS[1])
