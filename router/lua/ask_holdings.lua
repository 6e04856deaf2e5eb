-- ask_holdings: some agents with their slots, the conversations in them, and some conversations.
-- GUARANTEE: changes nothing, one moment; O(agents and conversations named, and slots held). Engine.holdings.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV: agents conversations
-- RETURNS: [agents, conversations]
local people, found, seen = {}, {}, {}
local function meet(id)
  local c = not seen[id] and conversation(id)
  if c then found[#found + 1] = conversation_state(c) end
  seen[id] = true
end

for _, id in ipairs(cjson.decode(ARGV[1])) do
  local a = agent(id)
  if a then
    for _, held in ipairs(call('HKEYS', P .. 'slots:' .. id)) do meet(held) end
    people[#people + 1] = agent_state(a, true)
  end
end
for _, id in ipairs(cjson.decode(ARGV[2])) do meet(id) end
return cjson.encode({ people, found })
