-- remove_agent: forget an agent.
-- GUARANTEE: the conversations they hold stay theirs, without a slot, until given on. Engine.remove_agent.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster
-- KEYS: prefix
-- ARGV: now op node day agent
-- RETURNS: change | unknown_agent
local a = agent(ARGV[5])
if not a then return answer('unknown_agent') end
withdraw(a)
strike(a)
forget_deadlines(a)
for _, id in ipairs(call('HKEYS', P .. 'slots:' .. a.id)) do abandon(a.id, id) end
call('DEL', a.key, P .. 'slots:' .. a.id)
call('SREM', P .. 'agents', a.id)
agents[a.id], dirty = false, true
return finish()
