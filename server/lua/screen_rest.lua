-- A shop in which no share runs is not looked at any more.
-- Guarantee: a shop in which one begins in the same moment stays listed.
-- KEYS: shares of the shop, shops with shares. ARGV: shop.
-- RETURNS 1 when it was taken off the list.
if redis.call('HLEN', KEYS[1]) > 0 then return 0 end
return redis.call('SREM', KEYS[2], ARGV[1])
