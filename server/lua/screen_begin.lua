-- A screen share begins, unless this person shows their screen in this conversation already.
-- Guarantee: at most one running share of one person in one conversation, however many begin at once.
-- KEYS: share, shares of the shop. ARGV: name of conversation and sharer, share id, life in ms, then the fields of the share and their values.
-- RETURNS the id of the share that runs already, or '' when this one has begun.
local call = redis.call
local running = call('HGET', KEYS[2], ARGV[1])
if running then return running end
local now = call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
call('HSET', KEYS[1], 'began', ms, 'sharer_seen', ms, 'viewer_seen', ms, unpack(ARGV, 4))
call('PEXPIRE', KEYS[1], ARGV[3])
call('HSET', KEYS[2], ARGV[1], ARGV[2])
return ''
