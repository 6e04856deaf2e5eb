-- Shared by every script that only asks. Without live state the answer is nothing.
local P, call, floor = KEYS[1], redis.call, math.floor
local policy = call('GET', P .. 'live')
if not policy then return false end
local EVEN = policy:sub(1, 1) == 'e'
