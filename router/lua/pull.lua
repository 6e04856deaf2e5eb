-- pull: take one waiting conversation, or the first of a pool (of all pools), over capacity if need be.
-- GUARANTEE: exactly one of several pullers wins. Engine.pull.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation agent pool
-- RETURNS: change | unknown_agent | not_waiting | pool_empty
local a, id = agent(ARGV[6]), ARGV[5]
if not a then return answer('unknown_agent') end
if id == '' then
  local pools, best, score = { ARGV[7] }, nil, nil
  if ARGV[7] == '' then pools = call('SMEMBERS', P .. 'waiting') end
  for i = 1, #pools do
    local first = call('ZRANGE', P .. 'pool:' .. pools[i], 0, 0, 'WITHSCORES')
    local at = tonumber(first[2])
    if at and (not best or at < score or (at == score and id_before(first[1], best))) then best, score = first[1], at end
  end
  if not best then return answer('pool_empty') end
  id = best
end
local c = conversation(id)
if not c or c.life ~= 'queued' then return answer('not_waiting') end
give(c, a, 'by_hand', 0, a.id)
return finish()
