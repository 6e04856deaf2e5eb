-- The choice among agents. Needs _agents; ranks need EVEN and day.
-- The best of one index. Whoever received nothing today comes first, in order of last seq: if the head of lru: is not
-- one of them, nobody is, and all the counts in best: are today's.
local function top(name)
  local id
  if EVEN then
    id = call('ZRANGE', P .. 'lru:' .. name, 0, 0)[1]
    if not id or agent(id).day < day then return id and agent(id) end
  end
  id = call('ZRANGE', P .. 'best:' .. name, 0, 0)[1]
  return id and agent(id)
end

-- Order of ids as bytes (Lua's own order follows the server's locale).
local function id_before(x, y)
  for i = 1, math.min(#x, #y) do
    if x:byte(i) ~= y:byte(i) then return x:byte(i) < y:byte(i) end
  end
  return #x < #y
end

local function better(x, y)
  local rx, ry = rank(x), rank(y)
  if EVEN then
    rx, ry = x.day >= day and rx or 0, y.day >= day and ry or 0
  end
  if rx ~= ry then return rx < ry end
  if x.last ~= y.last then return x.last < y.last end
  return id_before(x.id, y.id)
end

local function best_of(groups)
  local best
  for i = 1, #groups do
    local a = top(groups[i])
    if a and (not best or better(a, best)) then best = a end
  end
  return best
end

local function anybody_at_work(groups)
  for i = 1, #groups do
    if call('EXISTS', P .. 'work:' .. groups[i]) == 1 then return true end
  end
  return false
end
