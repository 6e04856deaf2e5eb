-- ask_holdings: some agents with their slots, and the conversations in them.
-- GUARANTEE: changes nothing, one moment; O(agents named and slots held). Engine.holdings.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV: agents
-- RETURNS: [agents, conversations]
local people, found = {}, {}
for _, id in ipairs(cjson.decode(ARGV[1])) do
  local a = agent(id)
  if a then
    for _, held in ipairs(call('HKEYS', P .. 'slots:' .. id)) do
      local c = conversation(held)
      if c then found[#found + 1] = conversation_state(c) end
    end
    people[#people + 1] = agent_state(a, true)
  end
end
return cjson.encode({ people, found })
