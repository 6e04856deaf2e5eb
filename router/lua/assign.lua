-- assign: give a live conversation to an agent by hand, whatever their capacity, status or exclusion.
-- GUARANTEE: the former owner's slot is freed and refilled in the same step. Engine.assign.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation agent by expected_epoch expected_load stay
-- RETURNS: change | unknown_conversation | unknown_agent | same_owner | stale_epoch | load_changed
-- stay: '' or = and what the decision carries.
local c, a = conversation(ARGV[5], head[5]), agent(ARGV[6])
if not head[5] then return answer('unknown_conversation') end
if not a then return answer('unknown_agent') end
if c.owner == a.id then return answer('same_owner') end
if ARGV[8] ~= '' and c.epoch ~= tonumber(ARGV[8]) then return answer('stale_epoch') end
if ARGV[9] ~= '' and a.load ~= tonumber(ARGV[9]) then return answer('load_changed') end
-- Who takes it by their own hand is there, whatever their status says.
local away = (a.status == 'offline' or a.counted == 1) and ARGV[7] ~= a.id
give(c, a, 'by_hand', away and 1 or 0, ARGV[7], 0, ARGV[10]:match('^=(.*)$'))
return finish()
