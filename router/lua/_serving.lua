-- Who serves a pool now. Needs _choice.
local function words(text) -- of a list as keys.py stores it
  local list = {}
  for word in (text or ''):gmatch('[^\31]+') do list[#list + 1] = word end
  return list
end

-- The groups bound to a pool, and the indices that serve it now: the bound groups while anybody of them is at work.
local function serving(pool)
  local bound = words(call('HGET', P .. 'pools', pool))
  if #bound > 0 and anybody_at_work(bound) then return bound, bound end
  return bound, { '*' }
end
