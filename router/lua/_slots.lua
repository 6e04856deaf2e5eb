-- Slots: load, and the indices that follow from it. Needs _prelude and _agents.
-- Writes an agent whose load changed, and the indices when they changed. The arguments say how it was before.
local function settle(a, was_free, was_on_list, rank_changed)
  call('HSET', a.key, 'd', cmsgpack.pack(a.load, a.received, a.day, a.last))
  local is_free = free(a)
  if was_free ~= is_free or (is_free and rank_changed) then
    local put = is_free and index or unindex
    put(a, '*')
    for group in a.groups:gmatch('[^\31]+') do put(a, group) end
    if is_free and not was_free then dirty = true end
  end
  local is_on_list = on_list(a)
  if is_on_list and (rank_changed or not was_on_list) then index(a, '~') end
  if was_on_list and not is_on_list then unindex(a, '~') end
end

local function take_slot(c, a, reason, received, since)
  local was_free, was_on_list = free(a), on_list(a)
  local over = a.load >= a.cap and 1 or 0
  call('HSET', P .. 'slots:' .. a.id, c.id, cmsgpack.pack(since or now, over, reason))
  a.load = a.load + 1
  if received then
    a.last = call('INCR', P .. 'seq')
    if day > a.day then a.received, a.day = 0, day end
    a.received = a.received + 1
  end
  settle(a, was_free, was_on_list, received or not EVEN)
end

-- Conversations whose owner is no agent any more hold no slot; they are remembered by owner.
local function abandon(owner, id)
  call('SADD', P .. 'orphans:' .. owner, id)
  call('SADD', P .. 'lost_owners', owner)
end

local function unabandon(owner, id)
  if call('SREM', P .. 'orphans:' .. owner, id) == 1 and call('EXISTS', P .. 'orphans:' .. owner) == 0 then
    call('SREM', P .. 'lost_owners', owner)
  end
end

-- Gives back the slot that a conversation holds, if it holds one; its owner may be gone.
local function free_slot(c)
  if c.owner == '' then return end
  if call('HDEL', P .. 'slots:' .. c.owner, c.id) == 0 then
    unabandon(c.owner, c.id)
    return
  end
  local a = agent(c.owner)
  local was_free, was_on_list = free(a), on_list(a)
  a.load = a.load - 1
  settle(a, was_free, was_on_list, not EVEN)
end
