-- Hands one payload to every node that has a lease, whoever is connected there.
-- Guarantee: that of bus_publish: entries of a stream are numbered 1, 2, 3 ... as id `n-0`.
-- KEYS: epoch, nodes. The streams have their hash tag.
-- ARGV: payload, longest stream. RETURNS how many nodes got it. Repeating it repeats that.
local call = redis.call
local told = 0
for _, node in ipairs(call('HKEYS', KEYS[2])) do
  if call('EXISTS', 'pm:{nodes}:lease:' .. node) == 1 then
    local stream = 'pm:{nodes}:gw:' .. node
    local n = call('INCR', stream .. ':n')
    call('XADD', stream, 'MAXLEN', '~', ARGV[2], n .. '-0', 'e', call('GET', KEYS[1]) or '', '1', ARGV[1])
    told = told + 1
  end
end
return told
