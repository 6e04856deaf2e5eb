-- expire: handle what is due: wrap-ups close, graces run out, conversations of the long lost are reported.
-- GUARANTEE: never early, each once, at most `limit`, in the order in which they fell due. Engine.expire.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill _roster
-- KEYS: prefix
-- ARGV: now op node day requeue_after limit
-- RETURNS: change with the note [counted offline, [agent, conversation...]...]
local counted, report = {}, {}
local ripe = call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, ARGV[6])
for i = 1, #ripe do
  call('ZREM', P .. 'due', ripe[i])
  local kind, about = ripe[i]:match('^(%a+):(.*)$')
  if kind == 'wrap' then
    local c = conversation(about)
    c.til = 0
    close(c, '')
  else
    local a = agent(about)
    if kind == 'grace' then
      restate(a, a.status, 1)
      call('ZADD', P .. 'due', now + ARGV[5], 'requeue:' .. about)
      counted[#counted + 1] = about
    elseif a.counted == 1 then
      local entry = { about }
      for _, id in ipairs(call('HKEYS', P .. 'slots:' .. about)) do
        if conversation(id).life == 'active' then entry[#entry + 1] = id end
      end
      report[#report + 1] = entry
    end
  end
end
note = cjson.encode({ counted, report })
overdue = #call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, 1) > 0
return finish()
