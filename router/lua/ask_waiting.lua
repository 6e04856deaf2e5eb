-- ask_waiting: some of a pool, in queue order.
-- GUARANTEE: changes nothing; O(limit). Engine.waiting.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV: pool first limit
-- RETURNS: a list of conversations' states
local list, first, limit = {}, tonumber(ARGV[2]) - 1, tonumber(ARGV[3])
if limit < 1 then return '[]' end
for i, id in ipairs(call('ZRANGE', P .. 'pool:' .. ARGV[1], first, first + limit - 1)) do
  list[i] = conversation_state(conversation(id) or { id = id, life = 'closed', owner = '', epoch = 0, rev = 0,
    priority = 0, arrived = 0, pool = '', til = 0, reason = '', previous = '' })
end
return cjson.encode(list)
