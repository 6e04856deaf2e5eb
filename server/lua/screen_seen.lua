-- Both sides of a running share are looked at: those whose session is here are there; how long are the others away?
-- Guarantee: a share that is over is not prolonged.
-- KEYS: share. ARGV: 1 or 0: the sharer's session is here; the same for the viewer's; life in ms.
-- RETURNS { state, ms since it began, ms since the sharer was there, ms since the viewer was }; state '': not there.
local call = redis.call
local found = call('HMGET', KEYS[1], 'state', 'began', 'sharer_seen', 'viewer_seen')
if found[1] ~= 'asked' and found[1] ~= 'agreed' then return { found[1] or '', 0, 0, 0 } end
local now = call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
if ARGV[1] == '1' then
  call('HSET', KEYS[1], 'sharer_seen', ms)
  found[3] = ms
end
if ARGV[2] == '1' then
  call('HSET', KEYS[1], 'viewer_seen', ms)
  found[4] = ms
end
call('PEXPIRE', KEYS[1], ARGV[3])
return { found[1], ms - found[2], ms - found[3], ms - found[4] }
