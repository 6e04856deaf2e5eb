-- The roster: changes of what an agent is, and the indices that follow. Needs _agents.
local function base_of(profile, status, counted)
  if not profile.routable then return 'not_an_agent' end
  if profile.excluded then return 'excluded' end
  if not profile.on_duty then return 'off_duty' end
  if status == 'offline' or counted == 1 then return 'offline' end
  return status == 'paused' and 'paused' or ''
end

local function everywhere(a, act)
  act('*')
  for group in a.groups:gmatch('[^\31]+') do act(group) end
end

-- Out of, and into, the indices that follow from base, load and groups.
local function withdraw(a)
  if free(a) then everywhere(a, function(name) unindex(a, name) end) end
  if at_work(a) then everywhere(a, function(name) call('SREM', P .. 'work:' .. name, a.id) end) end
  if on_list(a) then unindex(a, '~') end
end

local function present(a)
  if free(a) then everywhere(a, function(name) index(a, name) end) end
  if at_work(a) then everywhere(a, function(name) call('SADD', P .. 'work:' .. name, a.id) end) end
  if on_list(a) then index(a, '~') end
end

-- Sets status and what the server thinks of it, for an agent who is in no index; `profile` is the decoded one.
local function state(a, profile, status, counted)
  a.status, a.counted, a.base = status, counted, base_of(profile, status, counted)
  call('HSET', a.key, 's',
    cmsgpack.pack(a.cap, a.pause, a.base, a.groups, a.listed, a.status, a.counted, a.excluded))
  present(a)
  dirty = true
end

local function restate(a, status, counted)
  if a.status == status and a.counted == counted then return end
  withdraw(a)
  state(a, cjson.decode(call('HGET', a.key, 'p')), status, counted)
end

-- Memberships that follow from the profile alone.
local function strike(a)
  everywhere(a, function(name) call('SREM', P .. 'group:' .. name, a.id) end)
  call('SREM', P .. 'offline_list', a.id)
  call('SREM', P .. 'owners', a.id)
end

-- Makes an agent of a profile (JSON, as the caller keeps it), or exchanges the profile of one. `received` today, `last`
-- and `counted` of one who was there before all was lost.
local function enrol(id, json, status, received, last, counted)
  local p, a = cjson.decode(json), agent(id)
  if a then
    withdraw(a)
    strike(a)
  else
    a = { id = id, key = P .. 'agent:' .. id, load = 0, received = received or 0, day = 0, last = last or 0,
      status = status, counted = counted or 0 }
    if a.received > 0 then a.day = day end
    agents[id] = a
    call('HSET', a.key, 'since', now, 'd', cmsgpack.pack(0, a.received, a.day, a.last))
    call('SADD', P .. 'agents', id)
  end
  a.cap, a.groups = p.capacity, table.concat(p.groups, '\31')
  a.pause = p.pause_mode == 'at_n' and p.pause_at ~= cjson.null and p.pause_at or -1
  a.limit = a.pause >= 0 and math.min(a.cap, a.pause) or a.cap
  a.excluded = p.excluded and 1 or 0
  a.listed = p.on_offline_list and not p.excluded and 1 or 0
  call('HSET', a.key, 'p', json)
  if p.routable then
    everywhere(a, function(name)
      call('SADD', P .. 'group:' .. name, id)
      call('SADD', P .. 'groups', name)
    end)
  end
  if a.listed == 1 then call('SADD', P .. 'offline_list', id) end
  if p.is_owner then call('SADD', P .. 'owners', id) end
  state(a, p, a.status, a.counted)
  return a
end

-- The agent has no connection: a grace starts, when at work and one is known.
local function miss(a)
  if a.status == 'offline' then
    call('HDEL', a.key, 'after')
    return
  end
  local after = call('HGET', a.key, 'after')
  if after and after ~= 'never' then call('ZADD', P .. 'due', now + after, 'grace:' .. a.id) end
end

local function forget_deadlines(a) call('ZREM', P .. 'due', 'grace:' .. a.id, 'requeue:' .. a.id) end
