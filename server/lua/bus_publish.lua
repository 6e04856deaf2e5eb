-- Hands pushes to the nodes where their people are connected: one stream entry per node, however many pushes.
-- Guarantee: entries of a stream are numbered 1, 2, 3 ... as id `n-0`; a number is used once, so a reader sees loss as a
-- jump. A node without a lease gets nothing: it is fenced, and its people come back elsewhere. Nor does it publish: what
-- it had begun to say may come very late, and others have delivered what it wrote as it is now.
-- KEYS: epoch. The directory and the streams are found on the way: for one Redis. On a cluster bus_where and
-- bus_enter do the same in two steps.
-- ARGV: own node, longest stream; then per push: shop, payload, number of people, people...
-- RETURNS how many nodes got an entry; -1: nothing was done, the own node has no lease. Repeating it repeats the pushes:
-- receivers drop what they have.
local call = redis.call
local own, longest = ARGV[1], ARGV[2]
if call('EXISTS', 'pm:{nodes}:lease:' .. own) == 0 then return -1 end
local found, entries = {}, {}
local at = 3
while at <= #ARGV do
  local shop, payload, people = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local told = { [own] = true }
  for person = at + 3, at + 2 + people do
    local key = 'pm:{' .. shop .. '}:at:' .. ARGV[person]
    local nodes = found[key]
    if not nodes then
      nodes = call('HVALS', key)
      found[key] = nodes
    end
    for _, node in ipairs(nodes) do
      if not told[node] then
        told[node] = true
        local entry = entries[node]
        if entry == nil then
          entry = call('EXISTS', 'pm:{nodes}:lease:' .. node) == 1 and { 'e', call('GET', KEYS[1]) or '' }
          entries[node] = entry
        end
        if entry then
          entry[#entry + 1] = #entry
          entry[#entry + 1] = payload
        end
      end
    end
  end
  at = at + 3 + people
end
local reached = 0
for node, entry in pairs(entries) do
  if entry then
    local stream = 'pm:{nodes}:gw:' .. node
    local n = call('INCR', stream .. ':n')
    call('XADD', stream, 'MAXLEN', '~', longest, n .. '-0', unpack(entry))
    reached = reached + 1
  end
end
return reached
