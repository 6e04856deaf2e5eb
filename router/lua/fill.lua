-- fill: give waiting conversations to agents with room.
-- GUARANTEE: in queue order, at most FILL_LIMIT. Engine.fill.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day
-- RETURNS: change
dirty = true
return finish()
