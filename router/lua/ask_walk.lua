-- ask_walk: who would take a conversation that arrived now, and how each tier on the way would end.
-- GUARANTEE: changes nothing; what a claim of the same plan would have tried at this moment. Engine.preview.
-- USES: _question _today _agents _choice _conversations _walk
-- KEYS: prefix
-- ARGV: day conversation rand plan
-- RETURNS: a list of [tier, outcome, agent, groups, pool], or nothing
local plan = cjson.decode(ARGV[4])
local c = { id = ARGV[2], arrived = plan[1], priority = plan[2], pool = plan[5] }
local tried = walk(plan, c, tonumber(ARGV[3]))
return cjson.encode(tried)
