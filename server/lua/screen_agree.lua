-- The person who was asked to show their screen agrees, on this session.
-- Guarantee: a share is agreed to once, and never after it ended.
-- KEYS: share. ARGV: session.
-- RETURNS 'agreed', or the state that it is in instead; '' when it is not there.
local call = redis.call
local state = call('HGET', KEYS[1], 'state')
if state ~= 'asked' then return state or '' end
local now = call('TIME')
call('HSET', KEYS[1], 'state', 'agreed', 'sharer_session', ARGV[1],
  'sharer_seen', now[1] * 1000 + math.floor(now[2] / 1000))
return 'agreed'
