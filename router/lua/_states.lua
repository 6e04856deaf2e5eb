-- Agents and conversations as lists for the caller. Needs _agents and _conversations.
local function conversation_state(c)
  local place = c.life == 'queued' and (call('ZRANK', P .. 'pool:' .. c.pool, c.id) or -1) + 1 or 0
  return { c.id, c.life, c.owner, c.epoch, c.rev, c.priority, c.arrived, c.pool, place, c.til, c.reason, c.previous }
end

-- [profile, status, connected, counted offline, load, received, availability, status since, slots];
-- a slot is [conversation, life, since, reason, over capacity, wrap-up until].
local function agent_state(a, with_slots)
  local slots, held = {}, with_slots and call('HGETALL', P .. 'slots:' .. a.id) or {}
  for i = 1, #held, 2 do
    local since, over, reason = cmsgpack.unpack(held[i + 1])
    local c = conversation(held[i]) or { life = 'closed', til = 0 } -- which never happens
    slots[#slots + 1] = { held[i], c.life, since, reason, over, c.til }
  end
  local facts = call('HMGET', a.key, 'p', 'since')
  return { facts[1], a.status, call('EXISTS', P .. 'at:' .. a.id), a.counted, a.load, a.received, availability(a),
    tonumber(facts[2]), slots }
end
