-- Shared by every script that changes something: opens the verb, keeps its decisions, closes it.
-- KEYS[1] is the shop's prefix. ARGV[1..4] are now ('' = Redis time), op_id, node, day; ARGV[5] is the conversation
-- for verbs that have one. Answers a repeat; refuses a fenced node and (NEEDS_LIVE) a shop that is not live.
local P, call, floor = KEYS[1], redis.call, math.floor
local now, op, day = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[4])
local head = call('MGET', P .. 'op:' .. op, P .. 'live', P .. 'fence:' .. ARGV[3], P .. 'drain',
  P .. 'conv:' .. (ARGV[5] or ''))
if head[1] then return head[1] end
if head[3] then return 'fenced' end
if NEEDS_LIVE and not head[2] then return 'not_live' end
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
end
-- `live` is two letters: distribution (e even, l least_loaded) and whether wrap-up holds the slot (1, 0).
local EVEN, HOLDS, note, overdue
local function obey(policy)
  EVEN, HOLDS = policy:sub(1, 1) == 'e', policy:sub(2, 2) == '1'
end
obey(head[2] or 'e1')
-- What may have got a chance: false nobody, true everybody who waits, a pool's name only those.
local dirty = head[4] and true
local decisions, names = {}, {} -- encoded decisions of this verb, and their `<conversation>:<rev>`

-- Answers, and keeps the answer for repeats. A refusal is an answer too.
local function answer(reply)
  call('SET', P .. 'op:' .. op, reply, 'PX', 60000)
  return reply
end

-- Ends a verb that changed something: notes its decisions as unconfirmed; answers [more, note if any, decision, ...].
local function done(more)
  local n = #decisions
  if n == 1 then
    call('HSET', P .. 'decisions', names[1], decisions[1])
    call('ZADD', P .. 'unconfirmed', now, names[1])
  elseif n > 1 then
    local fields, members = {}, {}
    for i = 1, n do
      fields[2 * i - 1], fields[2 * i] = names[i], decisions[i]
      members[2 * i - 1], members[2 * i] = now, names[i]
    end
    call('HSET', P .. 'decisions', unpack(fields))
    call('ZADD', P .. 'unconfirmed', unpack(members))
  end
  if more and not head[4] then
    call('SET', P .. 'drain', '1')
  elseif head[4] and not more then
    call('DEL', P .. 'drain')
  end
  local reply = (more or overdue) and '[1' or '[0'
  if note then reply = reply .. ',' .. note end
  if n > 0 then reply = reply .. ',' .. table.concat(decisions, ',') end
  return answer(reply .. ']')
end
