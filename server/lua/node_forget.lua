-- Removes a dead node incarnation with its stream. Compare and delete: one that holds a lease stays.
-- KEYS: nodes, lease, stream, counter, silences. ARGV: node. RETURNS 1 when it was removed by this call, else 0.
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
  return 0
end
call('DEL', KEYS[3], KEYS[4])
call('HDEL', KEYS[5], ARGV[1])
return call('HDEL', KEYS[1], ARGV[1])
