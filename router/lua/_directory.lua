-- The directory of connections: what happens when some end. Needs _roster.
-- at:<person> is a hash connection -> node; node:<node> the persons there; nodes all such nodes.
local function leave(person, node) -- the node's list, unless a connection is left there
  for _, at in ipairs(call('HVALS', P .. 'at:' .. person)) do
    if at == node then return end
  end
  call('SREM', P .. 'node:' .. node, person)
  if call('EXISTS', P .. 'node:' .. node) == 0 then call('SREM', P .. 'nodes', node) end
end

local function hang_up(person, node, connections)
  local key = P .. 'at:' .. person
  for i = 1, #connections do call('HDEL', key, connections[i]) end
  leave(person, node)
  local a = #connections > 0 and call('EXISTS', key) == 0 and agent(person)
  if a then miss(a) end
end
