-- rebuild_add: one part of a shop's durable facts; agents before the conversations they hold.
-- GUARANTEE: only while this rebuild is the one under way. Makes no decisions. Engine.rebuild.
-- USES: _prelude _agents _slots _choice _conversations _roster
-- NEEDS: nothing
-- KEYS: prefix
-- ARGV: now op node day agents conversations offline_after
-- RETURNS: added | not_live
-- agents: JSON [profile, status, received today, place among those who were given something, longest ago first,
-- grace in ms or `never` or '' when it is not known, 1 if counted offline]...;
-- offline_after: the grace of those of whom it is not known, '' for never;
-- conversations: JSON list of states as _states gives them, each with when its owner was given it (0: not known).
if call('HGET', P .. 'rebuild', 'op') ~= op then return 'not_live' end
obey(call('HGET', P .. 'rebuild', 'policy'))
for _, s in ipairs(cjson.decode(ARGV[5])) do
  local away = s[2] ~= 'offline' and s[6] or 0
  local a = enrol(cjson.decode(s[1]).agent, s[1], s[2], s[3], s[4], away)
  if a.status ~= 'offline' then
    if s[5] ~= '' then call('HSET', a.key, 'after', s[5]) end
    if away == 1 then
      call('ZADD', P .. 'due', now, 'grace:' .. a.id) -- said to be so at once, and what they hold is looked at
    elseif s[5] ~= '' then
      miss(a)
    elseif ARGV[7] ~= '' then
      call('ZADD', P .. 'due', now + ARGV[7], 'grace:' .. a.id)
    end
  end
end
for _, s in ipairs(cjson.decode(ARGV[6])) do
  local c = { id = s[1], life = s[2], owner = s[3], epoch = s[4], rev = s[5], priority = s[6], arrived = s[7],
    pool = s[8], til = 0, reason = s[11], previous = s[12] }
  if c.life == 'queued' then
    call('ZADD', P .. 'pool:' .. c.pool, turn(c), c.id)
    call('SADD', P .. 'waiting', c.pool)
  else
    if c.life == 'wrap_up' then
      c.til = s[10] < 0 and now or s[10]
      call('ZADD', P .. 'due', c.til, 'wrap:' .. c.id)
    end
    local a = agent(c.owner)
    if not a then
      abandon(c.owner, c.id)
    elseif c.life == 'active' or HOLDS then
      take_slot(c, a, c.reason ~= '' and c.reason or 'rebuilt', false, s[13] > 0 and s[13])
    end
  end
  save(c)
end
return 'added'
