-- rebuild_end: all parts are there: the shop is live.
-- GUARANTEE: only if this rebuild is the one under way; fills. Engine.rebuild.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- NEEDS: nothing
-- KEYS: prefix
-- ARGV: now op node day pools seq
-- RETURNS: change | not_live
if call('HGET', P .. 'rebuild', 'op') ~= op then return 'not_live' end
local policy = call('HGET', P .. 'rebuild', 'policy')
obey(policy)
local pools = cjson.decode(ARGV[5])
for i = 1, #pools, 2 do call('HSET', P .. 'pools', pools[i], pools[i + 1]) end
if ARGV[6] ~= '0' then call('SET', P .. 'seq', ARGV[6]) end
call('DEL', P .. 'rebuild')
call('SET', P .. 'live', policy)
dirty = true
return finish()
