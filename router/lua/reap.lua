-- reap: declare a node incarnation dead. Works on a shop that is not live: the fence matters.
-- GUARANTEE: its later verbs are refused for 24 h, its connections are gone, graces start. O(its people). Engine.reap.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster _directory
-- NEEDS: nothing
-- KEYS: prefix
-- ARGV: now op node day dead_node
-- RETURNS: change
local dead = ARGV[5]
call('SET', P .. 'fence:' .. dead, now, 'PX', 24 * 3600 * 1000)
for _, person in ipairs(call('SMEMBERS', P .. 'node:' .. dead)) do
  local at, gone = call('HGETALL', P .. 'at:' .. person), {}
  for i = 1, #at, 2 do
    if at[i + 1] == dead then gone[#gone + 1] = at[i] end
  end
  hang_up(person, dead, gone)
end
if not head[2] then return done(false) end
return finish()
