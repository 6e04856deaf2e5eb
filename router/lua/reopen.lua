-- reopen: back to the same agent from wrap-up, whatever their capacity.
-- GUARANTEE: exactly one slot is held afterwards; one that was not held is taken anew. Engine.reopen.
-- USES: _prelude _agents _slots _choice _conversations _serving _fill
-- KEYS: prefix
-- ARGV: now op node day conversation by
-- RETURNS: change | unknown_conversation | not_in_wrap_up
if not head[5] then return answer('unknown_conversation') end
local c = conversation(ARGV[5], head[5])
if c.life ~= 'wrap_up' then return answer('not_in_wrap_up') end
forget_wrap_up(c)
local a = agent(c.owner)
if not a then
  abandon(c.owner, c.id)
elseif call('HEXISTS', P .. 'slots:' .. a.id, c.id) == 0 then
  unabandon(a.id, c.id)
  take_slot(c, a, 'reopened', false)
end
c.life = 'active'
decide(c, 'reopened', c.owner, 'reopened', 0, 0, ARGV[6])
return finish()
