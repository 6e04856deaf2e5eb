-- ask_snapshot: everything, for tests and invariants.
-- GUARANTEE: changes nothing, one moment; O(everything): holds Redis for about 10 us per agent and conversation.
--   Engine.snapshot.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV:
-- RETURNS: [agents, conversations, [pool, conversation...]..., seq, due, unconfirmed, [person, connection, node...]...]
local found, seen = {}, {}
local function meet(id)
  if seen[id] then return end
  seen[id] = true
  local c = conversation(id)
  if c then found[#found + 1] = conversation_state(c) end
end

local people = {}
for i, id in ipairs(call('SMEMBERS', P .. 'agents')) do
  people[i] = agent_state(agent(id), true)
  for _, held in ipairs(people[i][9]) do meet(held[1]) end
end
local pools = {}
for i, pool in ipairs(call('SMEMBERS', P .. 'waiting')) do
  pools[i] = { pool }
  for _, id in ipairs(call('ZRANGE', P .. 'pool:' .. pool, 0, -1)) do
    meet(id)
    pools[i][#pools[i] + 1] = id
  end
end
local due = call('ZRANGE', P .. 'due', 0, -1, 'WITHSCORES')
for i = 1, #due, 2 do
  local id = due[i]:match('^wrap:(.*)$')
  if id then meet(id) end
end
for _, owner in ipairs(call('SMEMBERS', P .. 'lost_owners')) do
  for _, id in ipairs(call('SMEMBERS', P .. 'orphans:' .. owner)) do meet(id) end
end
local directory = {}
for _, node in ipairs(call('SMEMBERS', P .. 'nodes')) do
  for _, person in ipairs(call('SMEMBERS', P .. 'node:' .. node)) do
    directory[#directory + 1] = { person, call('HGETALL', P .. 'at:' .. person) }
  end
end
return cjson.encode({ people, found, pools, tonumber(call('GET', P .. 'seq') or 0), due,
  call('ZRANGE', P .. 'unconfirmed', 0, -1), directory })
