-- Tells every other node that pushes of this one were lost: leaves out a number in each stream.
-- Guarantee: each reader sees a jump and brings its sessions up to date from PostgreSQL.
-- KEYS: epoch, nodes. ARGV: own node, longest stream. RETURNS how many nodes were told. Repeating it only repeats that.
local call = redis.call
local told = 0
for _, node in ipairs(call('HKEYS', KEYS[2])) do
  if node ~= ARGV[1] and call('EXISTS', 'pm:{nodes}:lease:' .. node) == 1 then
    local stream = 'pm:{nodes}:gw:' .. node
    local n = call('INCRBY', stream .. ':n', 2)
    call('XADD', stream, 'MAXLEN', '~', ARGV[2], n .. '-0', 'e', call('GET', KEYS[1]) or '')
    told = told + 1
  end
end
return told
