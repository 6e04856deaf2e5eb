-- ask_agents: all agents, without their slots.
-- GUARANTEE: changes nothing; O(agents). Engine.agents.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV:
-- RETURNS: a list of agents' states, in no order
local list, ids = {}, call('SMEMBERS', P .. 'agents')
for i = 1, #ids do list[i] = agent_state(agent(ids[i]), false) end
return cjson.encode(list)
