-- Walking a plan's tiers over live state: who takes a conversation that arrives, and how every tier ended. Needs
-- _agents, _choice and _conversations. Changes nothing.
-- plan: [arrived, priority, epoch, rev, pool, tier...]; a tier is
-- [kind, reason, agent, groups, over capacity (-1: no limit), even paused, hold, only if offline, pool].
local WHOLE = { '*' }

local function nobody(groups) return anybody_at_work(groups) and 'all_full' or 'nobody_online' end

local function unless_others_wait(c, a)
  local first = call('ZRANGE', P .. 'pool:' .. c.pool, 0, 0, 'WITHSCORES')
  if not first[1] then return a end
  local score, own = tonumber(first[2]), turn(c)
  return (score < own or (score == own and id_before(first[1], c.id))) and 'others_wait' or a
end

local function reachable(a) return a.status == 'online' and a.counted == 0 end

-- Each gives the agent who takes it, or why nobody does.
local TRY = {
  agent = function(tier)
    local a, over = agent(tier[3]), tier[5]
    if not a then return 'not_an_agent' end
    if tier[2] == 'bot' then
      if a.excluded == 1 then return 'excluded' end
      return reachable(a) and call('EXISTS', P .. 'at:' .. a.id) == 1 and a or 'offline'
    end
    local is = availability(a)
    if not at_work(a) or ((is == 'paused' or is == 'auto_paused') and not tier[6]) then return is end
    if over < 0 or a.load < a.cap + over then return a end
    return over == 0 and 'full' or 'over_capacity_limit'
  end,
  groups = function(tier, c)
    local a = best_of(tier[4])
    return a and unless_others_wait(c, a) or nobody(tier[4])
  end,
  random = function(tier, c, rand)
    local last = tier[8] ~= '' and agent(tier[8])
    if last and at_work(last) then return 'somebody_online' end
    local ready = call('ZCARD', P .. 'lru:*')
    if ready == 0 then return nobody(WHOLE) end
    local nth = rand % ready
    return unless_others_wait(c, agent(call('ZRANGE', P .. 'lru:*', nth, nth)[1]))
  end,
  offline_list = function()
    if anybody_at_work(WHOLE) then return 'somebody_online' end
    return top('~') or (call('EXISTS', P .. 'offline_list') == 1 and 'all_full' or 'nobody_online')
  end,
  owner = function()
    if call('EXISTS', P .. 'group:*') == 1 then return 'has_agents' end
    local first
    for _, id in ipairs(call('SMEMBERS', P .. 'owners')) do
      if not first or id_before(id, first) then first = id end
    end
    local a = first and agent(first)
    if not a then return 'not_an_agent' end
    return a.excluded == 1 and 'excluded' or a
  end,
  pool = function() return nobody(WHOLE) end,
}

-- What was tried, and the agent who takes it with the tier that gave them; no agent: it waits.
local function walk(plan, c, rand)
  local tried, held = {}, false
  for i = 6, #plan do
    local tier = plan[i]
    if tier[1] == 'pool' or not held then
      local got = TRY[tier[1]](tier, c, rand)
      if type(got) == 'table' then
        tried[#tried + 1] = { tier[2], 'taken', got.id, tier[4], tier[9] }
        return tried, got, tier
      end
      tried[#tried + 1] = { tier[2], got, tier[3], tier[4], tier[9] }
      held = held or got == 'others_wait' or (tier[7] and got == 'all_full')
    end
  end
  return tried
end
