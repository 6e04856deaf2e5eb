-- A shop in which no share runs is not looked at any more.
-- Guarantee: a shop in which one began since it was looked at stays listed: then its number is another one.
-- KEYS: shops with shares. ARGV: shop, its number when it was looked at.
-- RETURNS 1 when it was taken off the list.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
