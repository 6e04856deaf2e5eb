-- set_status: what the agent chose.
-- GUARANTEE: ends "counted offline" when it is not offline; deadlines follow; fills. Engine.set_status.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster
-- KEYS: prefix
-- ARGV: now op node day agent status
-- RETURNS: change | unknown_agent
local a, status = agent(ARGV[5]), ARGV[6]
if not a then return answer('unknown_agent') end
if a.status ~= status then call('HSET', a.key, 'since', now) end
if status == 'offline' then
  forget_deadlines(a)
  restate(a, status, a.counted)
else
  call('ZREM', P .. 'due', 'requeue:' .. a.id)
  restate(a, status, 0)
end
if call('EXISTS', P .. 'at:' .. a.id) == 0 then miss(a) end
return finish()
