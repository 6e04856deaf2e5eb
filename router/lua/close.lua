-- close: from any live state, or only from the one that is expected; forgets the live record.
-- GUARANTEE: slot, queue place and deadline go with it, and the slot is refilled. Engine.close.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation expected or_else by
-- RETURNS: change | unknown_conversation | what is given as or_else, when it is not in the expected state
if not head[5] then return answer('unknown_conversation') end
local c = conversation(ARGV[5], head[5])
if ARGV[6] ~= '' and c.life ~= ARGV[6] then return answer(ARGV[7]) end
close(c, ARGV[8])
return finish()
