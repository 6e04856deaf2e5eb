-- requeue: put an active conversation back into its pool, or another, at its first arrival time; free its slot.
-- GUARANTEE: it keeps class and arrival, and may be given out again in the same step. Engine.requeue.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation pool expected_epoch by
-- RETURNS: change | unknown_conversation | not_active | stale_epoch
if not head[5] then return answer('unknown_conversation') end
local c = conversation(ARGV[5], head[5])
if c.life ~= 'active' then return answer('not_active') end
if ARGV[7] ~= '' and c.epoch ~= tonumber(ARGV[7]) then return answer('stale_epoch') end
if ARGV[6] ~= '' then c.pool = ARGV[6] end
wait(c, ARGV[8])
return finish()
