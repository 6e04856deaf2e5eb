-- end: begin wrap-up, or close at once when it has no length.
-- GUARANTEE: the slot is held until wrap-up is over iff the policy says so now; else freed and refilled. Engine.end.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation wrap_up expected_epoch by
-- RETURNS: change | unknown_conversation | not_active | stale_epoch
if not head[5] then return answer('unknown_conversation') end
local c, wrap_up = conversation(ARGV[5], head[5]), tonumber(ARGV[6])
if c.life ~= 'active' then return answer('not_active') end
if ARGV[7] ~= '' and c.epoch ~= tonumber(ARGV[7]) then return answer('stale_epoch') end
if wrap_up == 0 then
  close(c, ARGV[8])
else
  c.life, c.til = 'wrap_up', now + wrap_up
  call('ZADD', P .. 'due', c.til, 'wrap:' .. c.id)
  if not HOLDS then free_slot(c) end
  decide(c, 'ended', c.owner, '', 0, 0, ARGV[8])
end
return finish()
