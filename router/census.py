"""What is broken in a shop's live state (I3, I4, I8) while it is in use: looked at part by part, each at one moment.

No part keeps Redis for longer than some verbs do, however many agents there are and however many wait.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId
from router.engine import Engine
from router.invariants import Violation, held_wrongly, waits_wrongly
from router.model import Snapshot

AGENTS: Final = 20
"""with their slots, at once"""
WAITING: Final = 200
"""of one pool, at once"""


async def census(engine: Engine, active: Mapping[AccountId, Sequence[ConversationId]]) -> list[Violation]:
    """Everything wrong with what is live now; nothing while the shop is not. Raises LinkError.

    `active`: who has what in service by durable facts, since an active conversation without a slot is in no index of
    live state. One whose owner is no agent any more rightly has none, until it is given on."""
    found: list[Violation] = []
    names = [state.profile.agent for state in await engine.agents()]
    for at in range(0, len(names), AGENTS):
        part = names[at : at + AGENTS]
        owned = [conversation for name in part for conversation in active.get(name, ())]
        found += held_wrongly(await engine.holdings(part, owned))
    for pool in await engine.pools():
        for first in range(1, pool.length + 1, WAITING):
            # The last of a part is the first of the next one, so that all neighbours are compared.
            some = await engine.waiting(pool.pool, first=first, limit=WAITING + 1)
            found += held_wrongly(Snapshot((), some, ()))
            found += waits_wrongly(pool.pool, first, some)
        found += await _waits_beside_room(engine, pool.pool)
    return found


async def _waits_beside_room(engine: Engine, pool: str) -> list[Violation]:
    """The promise of engine.py: no conversation waits that an agent at work with room could take (KS-09, KS-19)."""
    for first in await engine.waiting(pool, limit=1):
        why = await engine.explain(first.conversation)
        if why is not None:  # it still waits
            return [
                Violation("I8", first.conversation, f"waits in {pool} while {agent} has room")
                for agent, availability in why.agents
                if availability is Reason.HAS_ROOM
            ]
    return []
