-- Takes shops in which somebody's duty is due to change.
-- Guarantee: what is taken is nobody else's until the lease ends; then it is due again, unless it was settled.
-- KEYS: duty. ARGV: now (ms), end of the lease (ms), how many at most.
-- RETURNS { shops, when the next one is due (ms; empty: there is none) }.
local call = redis.call
local due = call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, shop in ipairs(due) do
  call('ZADD', KEYS[1], ARGV[2], shop)
end
return { due, call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '' }
