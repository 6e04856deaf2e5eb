-- Writes pushes into the streams of nodes: the second step of publishing on a cluster. One entry per node.
-- Guarantee: that of bus_publish: entries of a stream are numbered 1, 2, 3 ... as id `n-0`, and a node without a lease
-- gets nothing and publishes nothing.
-- KEYS: epoch. The streams have its hash tag.
-- ARGV: own node, longest stream; then per node: its name, number of payloads, payloads...
-- RETURNS as bus_publish. Repeating it repeats the pushes: receivers drop what they have.
local call = redis.call
if call('EXISTS', 'pm:{nodes}:lease:' .. ARGV[1]) == 0 then return -1 end
local at, reached = 3, 0
while at <= #ARGV do
  local node, count = ARGV[at], tonumber(ARGV[at + 1])
  if call('EXISTS', 'pm:{nodes}:lease:' .. node) == 1 then
    local entry = { 'e', call('GET', KEYS[1]) or '' }
    for i = 1, count do
      entry[2 * i + 1], entry[2 * i + 2] = i, ARGV[at + 1 + i]
    end
    local stream = 'pm:{nodes}:gw:' .. node
    local n = call('INCR', stream .. ':n')
    call('XADD', stream, 'MAXLEN', '~', ARGV[2], n .. '-0', unpack(entry))
    reached = reached + 1
  end
  at = at + 2 + count
end
return reached
