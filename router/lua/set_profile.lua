-- set_profile: create an agent (offline) or change what admins decide about one.
-- GUARANTEE: every index follows at once; an agent who comes back holds slots for what stayed theirs; fills where room
--   appears. Engine.set_profile.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster
-- KEYS: prefix
-- ARGV: now op node day agent profile
-- RETURNS: change
local known = agent(ARGV[5])
local a = enrol(ARGV[5], ARGV[6], 'offline')
local theirs = known and {} or call('SMEMBERS', P .. 'orphans:' .. a.id)
table.sort(theirs, id_before)
for _, id in ipairs(theirs) do
  local c = conversation(id)
  if c.life == 'active' then
    unabandon(a.id, id)
    take_slot(c, a, c.reason ~= '' and c.reason or 'rebuilt', false)
  end
end
return finish()
