-- confirm: these decisions are durable and on their way: forget them.
-- GUARANTEE: repeating it changes nothing. Engine.confirm.
-- USES:
-- KEYS: prefix
-- ARGV: name...
-- RETURNS: how many were there
local gone = 0
for first = 1, #ARGV, 500 do
  local last = math.min(first + 499, #ARGV)
  gone = gone + redis.call('HDEL', KEYS[1] .. 'decisions', unpack(ARGV, first, last))
  redis.call('ZREM', KEYS[1] .. 'unconfirmed', unpack(ARGV, first, last))
end
return gone
