-- Filling: gives waiting conversations to agents with room, in queue order over all pools. Needs _serving and
-- _conversations.
-- FILL_LIMIT is put before it by scripts.py.

-- Ends a verb: fills if anything may have got a chance. Each turn gives one, or sets a pool aside.
local function finish()
  if not dirty then return done(false) end
  local heads, given = {}, 0 -- pool -> its first conversation
  local function look(pool)
    local first = call('ZRANGE', P .. 'pool:' .. pool, 0, 0, 'WITHSCORES')
    if not first[1] then
      heads[pool] = nil
      return
    end
    local h = heads[pool] or {}
    h.id, h.score, heads[pool] = first[1], tonumber(first[2]), h
  end
  local pools = dirty == true and call('SMEMBERS', P .. 'waiting') or { dirty }
  for i = 1, #pools do look(pools[i]) end
  while true do
    local pool, h
    for name, x in pairs(heads) do
      if not h or x.score < h.score or (x.score == h.score and id_before(x.id, h.id)) then pool, h = name, x end
    end
    if not h then return done(false) end
    if given == FILL_LIMIT then return done(true) end
    if not h.names then
      h.bound, h.names = serving(pool)
      h.reason = h.bound[1] and h.bound ~= h.names and 'overflow' or 'filled'
    end
    local a = best_of(h.names)
    if a then
      given = given + 1
      give(conversation(h.id), a, h.reason, 0, '', { { h.reason, 'taken', a.id, h.bound, pool } })
      look(pool)
    else
      heads[pool] = nil
    end
  end
end
