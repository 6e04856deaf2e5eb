-- Counts one try for a secret.
-- Guarantee: of a thousand at once each is counted; the window begins with the first.
-- KEYS: counter. ARGV: window in ms, most tries in it.
-- RETURNS 0 when the try may go on, else the ms until the window ends.
local call = redis.call
local n = call('INCR', KEYS[1])
if n == 1 then call('PEXPIRE', KEYS[1], ARGV[1]) end
if n <= tonumber(ARGV[2]) then return 0 end
return math.max(call('PTTL', KEYS[1]), 1)
