-- A share is over: refused or ended. It is remembered for a while, so that who comes late is told so.
-- Guarantee: of several who end it at once exactly one is answered with the state it was in.
-- KEYS: share, shares of the shop. ARGV: name of conversation and sharer, share id, new state, ms to remember it.
-- RETURNS 'asked' or 'agreed': it was that until now; '' when it was over, or not there.
local call = redis.call
if call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then call('HDEL', KEYS[2], ARGV[1]) end
local state = call('HGET', KEYS[1], 'state')
if state ~= 'asked' and state ~= 'agreed' then return '' end
call('HSET', KEYS[1], 'state', ARGV[3])
call('PEXPIRE', KEYS[1], ARGV[4])
return state
