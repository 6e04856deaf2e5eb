-- A node says that it lives.
-- Guarantee: a lease that has run out is never renewed (its node may have been reaped), unless all was lost: then the
-- epoch is another one, nobody can have been reaped, and the node is registered anew under the same name.
-- KEYS: epoch, nodes, lease, stream, counter. ARGV: node, lease in ms, epoch it knows, epoch to use when there is none,
-- life of stream and counter in ms.
-- RETURNS { renewed or fenced, epoch }.
local call = redis.call
call('SET', KEYS[1], ARGV[4], 'NX')
local epoch = call('GET', KEYS[1])
if epoch == ARGV[3] and call('EXISTS', KEYS[3]) == 0 then
  return { 'fenced', epoch }
end
local t = call('TIME')
call('HSET', KEYS[2], ARGV[1], t[1] * 1000 + math.floor(t[2] / 1000))
call('SET', KEYS[3], '1', 'PX', ARGV[2])
call('PEXPIRE', KEYS[4], ARGV[5])
call('PEXPIRE', KEYS[5], ARGV[5])
return { 'renewed', epoch }
