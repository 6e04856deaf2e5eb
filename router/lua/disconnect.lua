-- disconnect: a connection is gone.
-- GUARANTEE: the grace starts when it was an agent's last; one that is not there changes nothing. Engine.disconnect.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster _directory
-- KEYS: prefix
-- ARGV: now op node day person connection at_node
-- RETURNS: change
if call('HGET', P .. 'at:' .. ARGV[5], ARGV[6]) == ARGV[7] then hang_up(ARGV[5], ARGV[7], { ARGV[6] }) end
return finish()
