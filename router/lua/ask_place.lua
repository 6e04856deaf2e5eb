-- ask_place: where a conversation waits.
-- GUARANTEE: changes nothing; O(log n), and O(agents) while nobody is at work. Engine.place.
-- USES: _question _agents _choice _conversations _serving
-- KEYS: prefix
-- ARGV: conversation
-- RETURNS: [pool, place, length, why: somebody is at work (1), nobody (0), all are off duty (2); arrived], or nothing
local c = conversation(ARGV[1])
if not c or c.life ~= 'queued' then return false end
local function all_off_duty()
  local ids, off = call('SMEMBERS', P .. 'group:*'), 0
  for i = 1, #ids do
    local base = agent(ids[i]).base
    if base == 'off_duty' then off = 2
    elseif base ~= 'excluded' then return 0 end
  end
  return off
end
local key = P .. 'pool:' .. c.pool
local _, names = serving(c.pool)
return cjson.encode({ c.pool, call('ZRANK', key, c.id) + 1, call('ZCARD', key), 
  anybody_at_work(names) and 1 or all_off_duty(), c.arrived })
