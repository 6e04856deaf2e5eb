-- ask_agent: one agent with the slot ledger.
-- GUARANTEE: changes nothing; O(slots held). Engine.agent.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV: agent
-- RETURNS: an agent's state, or nothing
local a = agent(ARGV[1])
return a and cjson.encode(agent_state(a, true))
