-- ask_explain: why a conversation waits.
-- GUARANTEE: changes nothing; O(eligible agents). Engine.explain.
-- USES: _question _agents _choice _conversations _serving
-- KEYS: prefix
-- ARGV: conversation
-- RETURNS: [pool, place, length, priority, arrived, somebody at work (1, 0), bound groups, open to everybody (1, 0),
--   [agent, availability]...], or nothing
local c = conversation(ARGV[1])
if not c or c.life ~= 'queued' then return false end
local key = P .. 'pool:' .. c.pool
local bound, names = serving(c.pool)
local keys = {}
for i = 1, #names do keys[i] = P .. 'group:' .. names[i] end
local answer = { c.pool, call('ZRANK', key, c.id) + 1, call('ZCARD', key), c.priority, c.arrived,
  anybody_at_work(names) and 1 or 0, bound, names[1] == '*' and #names == 1 and 1 or 0 }
for _, id in ipairs(call('SUNION', unpack(keys))) do answer[#answer + 1] = { id, availability(agent(id)) } end
return cjson.encode(answer)
