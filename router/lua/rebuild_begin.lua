-- rebuild_begin: make a shop not live and forget what is there, a part per call.
-- GUARANTEE: whoever began last builds; parts of others are refused. Fences and first replies stay. Engine.rebuild.
-- USES: _prelude
-- NEEDS: nothing
-- KEYS: prefix
-- ARGV: now op node day policy
-- RETURNS: wiping (call again) | the time, in ms
if call('HGET', P .. 'rebuild', 'op') ~= op then call('HSET', P .. 'rebuild', 'op', op, 'policy', ARGV[5]) end
call('DEL', P .. 'live', P .. 'drain')
local left = 2000 -- keys that this call may still forget
local function forget(kind, ids)
  for i = 1, #ids do call('UNLINK', P .. kind .. ids[i]) end
  left = left - #ids
end

while left > 0 and call('EXISTS', P .. 'agents') == 1 do
  local id = call('SPOP', P .. 'agents')
  forget('conv:', call('HKEYS', P .. 'slots:' .. id))
  forget('slots:', { id })
  forget('agent:', { id })
end
while left > 0 and call('EXISTS', P .. 'waiting') == 1 do
  local pool = call('SRANDMEMBER', P .. 'waiting')
  local popped, ids = call('ZPOPMIN', P .. 'pool:' .. pool, 500), {}
  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
  forget('conv:', ids)
  if #ids == 0 then call('SREM', P .. 'waiting', pool) end
end
while left > 0 and call('EXISTS', P .. 'due') == 1 do
  local popped, ids = call('ZPOPMIN', P .. 'due', 500), {}
  for i = 1, #popped, 2 do ids[#ids + 1] = popped[i]:match('^wrap:(.*)$') end
  forget('conv:', ids)
  left = left - #popped / 2
end
while left > 0 and call('EXISTS', P .. 'lost_owners') == 1 do
  local owner = call('SRANDMEMBER', P .. 'lost_owners')
  local ids = call('SPOP', P .. 'orphans:' .. owner, 500)
  forget('conv:', ids)
  if #ids == 0 then call('SREM', P .. 'lost_owners', owner) end
end
while left > 0 and call('EXISTS', P .. 'nodes') == 1 do
  local node = call('SRANDMEMBER', P .. 'nodes')
  local people = call('SPOP', P .. 'node:' .. node, 500)
  forget('at:', people)
  if #people == 0 then call('SREM', P .. 'nodes', node) end
end
call('SADD', P .. 'groups', '~')
while left > 0 and call('EXISTS', P .. 'groups') == 1 do
  local name = { call('SPOP', P .. 'groups') }
  forget('lru:', name)
  forget('best:', name)
  forget('work:', name)
  forget('group:', name)
end
forget('', { 'offline_list', 'owners', 'seq', 'decisions', 'unconfirmed', 'pools' })
return left <= 0 and 'wiping' or string.format('%.0f', now)
