-- ask_place: where a conversation waits.
-- GUARANTEE: changes nothing; O(log n). Engine.place.
-- USES: _question _agents _choice _conversations _serving
-- KEYS: prefix
-- ARGV: conversation
-- RETURNS: [pool, place, length, somebody at work (1, 0), arrived], or nothing
local c = conversation(ARGV[1])
if not c or c.life ~= 'queued' then return false end
local key = P .. 'pool:' .. c.pool
local _, names = serving(c.pool)
return cjson.encode({ c.pool, call('ZRANK', key, c.id) + 1, call('ZCARD', key), anybody_at_work(names) and 1 or 0,
  c.arrived })
