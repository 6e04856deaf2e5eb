-- Conversations: the live record, pools, decisions. Needs _prelude and _agents.
-- conv:<id> is a string, packed: life, owner, epoch, rev, priority, arrived, pool, wrap-up until, reason, previous owner.
-- '' and 0 stand for nothing.
local function conversation(id, raw)
  raw = raw or call('GET', P .. 'conv:' .. id)
  if not raw then return nil end
  local c = { id = id }
  c.life, c.owner, c.epoch, c.rev, c.priority, c.arrived, c.pool, c.til, c.reason, c.previous = cmsgpack.unpack(raw)
  return c
end

local function save(c)
  call('SET', P .. 'conv:' .. c.id,
    cmsgpack.pack(c.life, c.owner, c.epoch, c.rev, c.priority, c.arrived, c.pool, c.til, c.reason, c.previous))
end

-- One change of a conversation: raises rev, and epoch with the owner; writes the record; notes the decision.
local function decide(c, change, owner, reason, place, offline, by, tried, stay)
  local previous = c.owner
  c.rev = c.rev + 1
  if owner ~= previous then
    c.epoch, c.owner, c.previous = c.epoch + 1, owner, previous
  end
  if reason ~= '' then c.reason = reason end
  if change == 'closed' then
    call('DEL', P .. 'conv:' .. c.id)
  else
    save(c)
  end
  local n = #decisions + 1
  names[n] = ('%s:%010d'):format(c.id, c.rev)
  decisions[n] = cjson.encode({ c.id, c.rev, c.epoch, change, now, owner, previous, reason, c.pool, c.priority, c.arrived,
    place, change == 'ended' and c.til or 0, offline, by, tried or 0, stay })
end

-- Pool scores: class first, then arrival; ids break ties. 2^45 ms is the year 3084.
local function turn(c) return c.priority * 2 ^ 45 + c.arrived end

local function dequeue(c)
  local key = P .. 'pool:' .. c.pool
  call('ZREM', key, c.id)
  if call('EXISTS', key) == 0 then call('SREM', P .. 'waiting', c.pool) end
end

local function forget_wrap_up(c)
  if c.til > 0 then
    call('ZREM', P .. 'due', 'wrap:' .. c.id)
    c.til = 0
  end
end

-- To an agent, from wherever it is; counts as received.
local function give(c, a, reason, offline, by, tried, stay)
  if c.life == 'queued' then
    dequeue(c)
  else
    free_slot(c)
    forget_wrap_up(c)
  end
  take_slot(c, a, reason, true)
  c.life = 'active'
  decide(c, 'assigned', a.id, reason, 0, offline, by, tried, stay)
end

-- Into its pool, at its first arrival time.
local function wait(c, by, tried)
  free_slot(c)
  local key = P .. 'pool:' .. c.pool
  call('ZADD', key, turn(c), c.id)
  call('SADD', P .. 'waiting', c.pool)
  c.life = 'queued'
  local rank = call('ZRANK', key, c.id)
  -- Behind others nothing is new: whoever could be taken would have been.
  if rank == 0 then dirty = dirty or c.pool end
  decide(c, 'queued', '', 'queue_pool', rank + 1, 0, by, tried)
end

local function close(c, by)
  if c.life == 'queued' then
    dequeue(c)
  else
    free_slot(c)
    forget_wrap_up(c)
  end
  decide(c, 'closed', c.owner, '', 0, 0, by)
end
