-- Where people are connected: the first step of publishing on a cluster, for people of one shop.
-- Guarantee: who connects later reads the log later, and so finds what is being published there.
-- KEYS: the directory's entry of each person (pm:{shop}:at:<person>).
-- RETURNS the node incarnations of each, in the order of the keys.
local call = redis.call
local nodes = {}
for i, key in ipairs(KEYS) do nodes[i] = call('HVALS', key) end
return nodes
