-- Who answers a conversation now: the one who began to type first. A warning to the others, never a lock.
-- Guarantee: at most one holder at a time; it ends when it is given back, or some time after its holder stopped typing.
-- KEYS: lease. ARGV: person, what they are writing, life in ms; or person alone, to give it back.
-- RETURNS { holder, what they are writing }; nothing when it was given back.
local call = redis.call
local holder = call('HGET', KEYS[1], 'who')
if #ARGV == 1 then
  if holder == ARGV[1] then call('DEL', KEYS[1]) end
  return nil
end
if holder and holder ~= ARGV[1] then
  return { holder, call('HGET', KEYS[1], 'draft') }
end
call('HSET', KEYS[1], 'who', ARGV[1], 'draft', ARGV[2])
call('PEXPIRE', KEYS[1], ARGV[3])
return { ARGV[1], ARGV[2] }
