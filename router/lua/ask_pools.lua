-- ask_pools: every non-empty pool at a glance.
-- GUARANTEE: changes nothing; O(pools x (priority classes + shown)). Engine.pools.
-- USES: _question _agents _choice _conversations _serving
-- KEYS: prefix
-- ARGV: shown
-- RETURNS: a list of [pool, length, oldest arrival, bound groups, open to everybody, the first so many]
local list = {}
for i, pool in ipairs(call('SMEMBERS', P .. 'waiting')) do
  local key, oldest, low = P .. 'pool:' .. pool, nil, '-inf'
  while true do -- one turn per class: the first of each is its oldest
    local first = call('ZRANGEBYSCORE', key, low, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    local score = tonumber(first[2])
    if not score then break end
    local arrived = score % 2 ^ 45
    oldest = oldest and math.min(oldest, arrived) or arrived
    low = (floor(score / 2 ^ 45) + 1) * 2 ^ 45
  end
  local bound, names = serving(pool)
  list[i] = { pool, call('ZCARD', key), oldest, bound, names[1] == '*' and #names == 1,
    call('ZRANGE', key, 0, tonumber(ARGV[1]) - 1) }
end
return cjson.encode(list)
