-- Node incarnations that are registered and have no lease any more.
-- KEYS: nodes. RETURNS their names.
local call = redis.call
local dead = {}
for _, node in ipairs(call('HKEYS', KEYS[1])) do
  if call('EXISTS', 'pm:{nodes}:lease:' .. node) == 0 then
    dead[#dead + 1] = node
  end
end
return dead
