-- One side of an agreed share sends a signal. The session that does so first is that side's; others are not.
-- Guarantee: signals of one side are numbered 1, 2, 3, ... in the order in which they came here.
-- KEYS: share. ARGV: side ('sharer' or 'viewer'), session, most signals of a side in a window, window in ms.
-- RETURNS { 'sent', number } | { 'slow', ms to wait } | { 'elsewhere' } | { state it is in instead, '' when not there }.
local call = redis.call
local side = ARGV[1]
local found = call('HMGET', KEYS[1], 'state', side .. '_session', side .. '_window', side .. '_count')
if found[1] ~= 'agreed' then return { found[1] or '' } end
if found[2] ~= ARGV[2] and found[2] and found[2] ~= '' then return { 'elsewhere' } end
local now = call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local window, count = tonumber(found[3]), tonumber(found[4])
if not window or ms >= window + tonumber(ARGV[4]) then window, count = ms, 0 end
if count >= tonumber(ARGV[3]) then return { 'slow', window + tonumber(ARGV[4]) - ms } end
call('HSET', KEYS[1], side .. '_session', ARGV[2], side .. '_seen', ms, side .. '_window', window,
  side .. '_count', count + 1)
return { 'sent', call('HINCRBY', KEYS[1], side .. '_sent', 1) }
