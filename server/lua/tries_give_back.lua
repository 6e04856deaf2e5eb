-- Gives back a try that turned out right.
-- Guarantee: a window that has ended meanwhile is not begun again.
-- KEYS: counter. RETURNS how many tries are left counted.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('DECR', KEYS[1])
