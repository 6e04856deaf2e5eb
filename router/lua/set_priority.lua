-- set_priority: put a waiting conversation into another priority class of its pool, at its first arrival time.
-- GUARANTEE: it stays in exactly one pool, in queue order; in that class already, nothing changes. Engine.set_priority.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation priority by
-- RETURNS: change | unknown_conversation | not_waiting
if not head[5] then return answer('unknown_conversation') end
local c, class = conversation(ARGV[5], head[5]), tonumber(ARGV[6])
if c.life ~= 'queued' then return answer('not_waiting') end
if c.priority ~= class then
  c.priority = class
  wait(c, ARGV[7]) -- ZADD moves it: the pool is the same
end
return finish()
