-- Agents: who is available, the indices by which the best is found, slots. Needs _prelude.
-- agent:<id> is a hash: `s` what changes seldom, packed; `d` what every conversation changes, packed (load, received,
-- its day, last seq); see keys.py for the rest.
-- base: '' online and at work; else why nothing is given automatically whatever the load.
-- An index name is a group id, '*' (everybody) or '~' (the offline list). lru:<name> scores by last seq, best:<name>
-- by rank and last seq; both hold exactly those who can take one more. work:<group> holds those at work.
local agents = {} -- those read by this call

local function agent(id)
  local a = agents[id]
  if a == nil then
    a = false
    local key = P .. 'agent:' .. id
    local f = call('HMGET', key, 's', 'd')
    if f[1] then
      a = { id = id, key = key }
      a.cap, a.pause, a.base, a.groups, a.listed, a.status, a.counted, a.excluded = cmsgpack.unpack(f[1])
      a.limit = a.pause >= 0 and math.min(a.cap, a.pause) or a.cap
      a.load, a.received, a.day, a.last = cmsgpack.unpack(f[2])
    end
    agents[id] = a
  end
  return a
end

local function free(a) return a.base == '' and a.load < a.limit end
local function on_list(a) return a.listed == 1 and a.load < a.cap end
local function at_work(a) return a.base == '' or a.base == 'paused' end

local function availability(a)
  if a.base ~= '' then return a.base end
  if a.pause >= 0 and a.load >= a.pause then return 'auto_paused' end
  return a.load >= a.cap and 'full' or 'has_room'
end

local function rank(a) -- of this day, or of the last on which something was received
  return EVEN and a.received or floor(a.load * 262144 / a.cap)
end

local function index(a, name)
  local best = rank(a) * 2 ^ 35 + a.last
  if EVEN or name == '*' then call('ZADD', P .. 'lru:' .. name, a.last, a.id) end
  call('ZADD', P .. 'best:' .. name, best, a.id)
end

local function unindex(a, name)
  if EVEN or name == '*' then call('ZREM', P .. 'lru:' .. name, a.id) end
  call('ZREM', P .. 'best:' .. name, a.id)
end
