-- Says when a shop that was taken is due next.
-- Guarantee: a change of its hours that was told meanwhile is not forgotten; it stays due.
-- KEYS: duty. ARGV: shop, end of the lease (ms), due next (ms). RETURNS 1 when it was settled, else 0.
local call = redis.call
local score = call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 0
end
call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1
