-- Registered incarnations that have a lease and have not renewed it for so long, each once per silence.
-- KEYS: nodes, silences. ARGV: ms. RETURNS { node, ms since its last renewal } of each.
local call = redis.call
local t = call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function silent_ms(heard_at)
  return now - tonumber(heard_at)
end
local least_ms = tonumber(ARGV[1])
local silent = {}
local nodes = call('HGETALL', KEYS[1])
for i = 1, #nodes, 2 do
  local node, heard_at = nodes[i], nodes[i + 1]
  if silent_ms(heard_at) > least_ms and call('EXISTS', 'pm:{nodes}:lease:' .. node) == 1
      and call('HGET', KEYS[2], node) ~= heard_at then
    call('HSET', KEYS[2], node, heard_at)
    silent[#silent + 1] = { node, silent_ms(heard_at) }
  end
end
return silent
