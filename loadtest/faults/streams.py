"""What may happen to a node's stream: entries are missing, come in another order, or come twice."""

import asyncio
import random
from typing import Any, Final

from loadtest.children import ChildFailed
from loadtest.faults.catching_up import POLL_S, Ends
from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.insight import insight
from loadtest.faults.spread import spread
from loadtest.stage.node import Node

STOPPED_S: Final = 1.5
"""How long a node is held, so that something gathers in its stream; much shorter than its lease."""
GATHERS_S: Final = 3.0
LEASE_S: Final = 20.0
WITHIN_S: Final = 40.0
WAYS: Final = ("gap", "reorder", "duplicate")
TAMPER: Final = """
-- Writes a node's stream anew with what nobody has read of it changed. KEYS: stream. ARGV: way, last entry read.
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+')
if #entries < 3 then return 0 end
local way, changed = ARGV[1], 0
local first, last = 2, #entries - 1
if way == 'reorder' then
  for i = first, last, 2 do
    if i + 1 <= #entries then
      entries[i][2], entries[i + 1][2] = entries[i + 1][2], entries[i][2]
      changed = changed + 1
    end
  end
elseif way == 'duplicate' then
  -- Each entry also brings what the one before it brought.
  for i = #entries, first, -1 do
    local both, n = {}, 0
    for _, from in ipairs({ entries[i - 1][2], entries[i][2] }) do
      for field = 1, #from, 2 do
        if from[field] == 'e' then
          if n == 0 then both[1], both[2] = 'e', from[field + 1] end
        else
          n = n + 1
          both[#both + 1], both[#both + 2] = tostring(n), from[field + 1]
        end
      end
    end
    entries[i][2] = both
    changed = changed + 1
  end
end
redis.call('DEL', KEYS[1])
for i, entry in ipairs(entries) do
  if way == 'gap' and i % 2 == 0 and i < #entries then
    changed = changed + 1
  else
    redis.call('XADD', KEYS[1], entry[1], unpack(entry[2]))
  end
end
return changed
"""


async def tampered(scene: Scene, dice: random.Random) -> Figures:
    """Fault 19: a node is held for a moment; meanwhile its stream loses entries, then has some in another order, then
    twice. Everybody has everything soon after."""
    return await _tampered(scene, dice, WAYS)


async def tampered_briefly(scene: Scene, dice: random.Random) -> Figures:
    """One of the three."""
    return await _tampered(scene, dice, (dice.choice(WAYS),))


async def _tampered(scene: Scene, dice: random.Random, ways: tuple[str, ...]) -> Figures:
    figures: dict[str, float] = {"equal_s": 0.0}
    await spread(scene)
    async with insight(scene) as redis:
        for way in ways:
            node = dice.choice(scene.stage.nodes)
            changed = await _tamper(redis, node, way)
            ends = await Ends.now(scene)
            people = [*scene.party.agents, *scene.party.customers]
            figures[f"{way}_entries"] = changed
            figures["equal_s"] = max(figures["equal_s"], await ends.reached(people, WITHIN_S))
    return figures


async def _tamper(redis: Any, node: Node, way: str) -> int:
    """How many entries were changed."""
    name = await _incarnation(redis, node)
    stream = f"pm:{{nodes}}:gw:{name}"
    loop = asyncio.get_running_loop()
    began = loop.time()
    node.freeze()
    try:
        read = int(await redis.get(f"{stream}:n") or 0)
        while loop.time() - began < GATHERS_S:
            await asyncio.sleep(STOPPED_S / 3)
            if loop.time() - began >= STOPPED_S and await redis.xlen(stream) >= 3:
                changed = int(await redis.eval(TAMPER, 1, stream, way, f"{read}-0"))
                if changed:
                    return changed
        return 0
    finally:
        node.thaw()


async def _incarnation(redis: Any, node: Node) -> str:
    """What the node calls itself now: the one of its incarnations that has a lease. ChildFailed when none gets one."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < LEASE_S:
        for known in await redis.hkeys("pm:{nodes}"):
            name = known.decode()
            if name.startswith(f"{node.name}:") and await redis.exists(f"pm:{{nodes}}:lease:{name}"):
                return name
        await asyncio.sleep(POLL_S)
    raise ChildFailed(f"{node.name} has no lease.\n{node.child.said()}")


FAMILY = (
    Fault(
        19,
        "gap, reorder, duplicate in the node stream",
        "transcripts equal PostgreSQL",
        (
            *(Limit(f"{way}_entries", at_least=1) for way in WAYS),
            Limit("equal_s", at_most=10),
        ),
        tampered,
        brief=tampered_briefly,
    ),
)
