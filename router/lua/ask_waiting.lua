-- ask_waiting: the first of a pool, in queue order.
-- GUARANTEE: changes nothing; O(limit). Engine.waiting.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV: pool limit
-- RETURNS: a list of conversations' states
local list, last = {}, tonumber(ARGV[2]) - 1
if last < 0 then return '[]' end
for i, id in ipairs(call('ZRANGE', P .. 'pool:' .. ARGV[1], 0, last)) do
  list[i] = conversation_state(conversation(id))
end
return cjson.encode(list)
