-- connect: a connection of an agent or customer appeared on a node.
-- GUARANTEE: it is in the directory; an agent's deadlines and "counted offline" end; fills. Engine.connect.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster _directory
-- KEYS: prefix
-- ARGV: now op node day person connection at_node offline_after
-- RETURNS: change
-- offline_after: ms, or `never`.
local person, at, after = ARGV[5], ARGV[7], ARGV[8]
local before = call('HGET', P .. 'at:' .. person, ARGV[6])
call('HSET', P .. 'at:' .. person, ARGV[6], at)
if before and before ~= at then leave(person, before) end
call('SADD', P .. 'node:' .. at, person)
call('SADD', P .. 'nodes', at)
local a = agent(person)
if a then
  local known = call('HGET', a.key, 'after') or '0'
  if known ~= 'never' and (after == 'never' or tonumber(after) >= tonumber(known)) then
    call('HSET', a.key, 'after', after)
  end
  forget_deadlines(a)
  restate(a, a.status, 0)
end
return finish()
