-- set_policy: exchange the live policy.
-- GUARANTEE: agents are ranked anew when the distribution changes (O(agents)); fills. Engine.set_policy.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster
-- KEYS: prefix
-- ARGV: now op node day policy pools
-- RETURNS: change
-- policy: two letters, see _prelude; pools: JSON [pool, groups, ...], groups as keys.py lists them.
local before, ids = EVEN, call('SMEMBERS', P .. 'agents')
obey(ARGV[5])
if EVEN ~= before then
  local after = EVEN
  for i = 1, #ids do
    local a = agent(ids[i])
    EVEN = before
    withdraw(a)
    EVEN = after
    present(a)
  end
end
call('SET', P .. 'live', ARGV[5])
call('DEL', P .. 'pools')
local pools = cjson.decode(ARGV[6])
for i = 1, #pools, 2 do call('HSET', P .. 'pools', pools[i], pools[i + 1]) end
dirty = true
return finish()
