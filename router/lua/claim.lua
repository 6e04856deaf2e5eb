-- claim: walk a plan's tiers over live state and take the first fit, or wait in the plan's pool.
-- GUARANTEE: one owner or one pool, with the slot counted and the decision noted, or nothing. Engine.claim.
-- USES: _prelude _agents _slots _choice _conversations _walk _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation rand plan takes_from
-- RETURNS: change | already_routed | not_owner
local plan, from = cjson.decode(ARGV[7]), ARGV[8]
local c = { id = ARGV[5], life = '', owner = '', epoch = 0, rev = 0, til = 0, reason = '', previous = '' }
if from ~= '' then
  c = head[5] and conversation(c.id, head[5]) or c
  if c.life ~= 'active' or c.owner ~= from then return answer('not_owner') end
  free_slot(c)
elseif head[5] then
  return answer('already_routed')
end
c.arrived, c.priority, c.pool = c.arrived or plan[1], plan[2], plan[5] -- the first arrival stays
c.epoch, c.rev = math.max(c.epoch, plan[3]), math.max(c.rev, plan[4])
local tried, got, tier = walk(plan, c, tonumber(ARGV[6]))
if got then
  local later = tier[1] == 'offline_list' or (tier[1] == 'owner' and not reachable(got))
  give(c, got, tier[2], later and 1 or 0, '', tried)
else
  wait(c, '', tried)
end
return finish()
