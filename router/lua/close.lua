-- close: from any live state; forgets the live record.
-- GUARANTEE: slot, queue place and deadline go with it, and the slot is refilled. Engine.close.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation by
-- RETURNS: change | unknown_conversation
if not head[5] then return answer('unknown_conversation') end
close(conversation(ARGV[5], head[5]), ARGV[6])
return finish()
