"""How long it takes until everybody has what was stored at some moment."""

import asyncio
from collections.abc import Sequence
from typing import Final

import asyncpg

from loadtest.faults.fault import Scene
from loadtest.people.person import Person

POLL_S: Final = 0.02
_OPEN: Final = """
    SELECT c.id::text, coalesce(c.owner_id::text, ''), c.customer_id::text, c.head_seq, c.customer_head_seq
    FROM conversations c WHERE c.state <> 'closed'
"""


class Ends:
    """Where the logs of all open conversations ended at one moment, for those who must have them."""

    def __init__(self, wanted: dict[tuple[str, str], int]) -> None:
        self._wanted = wanted
        """(person, conversation) -> the last entry, in the reader's numbering"""

    @classmethod
    async def now(cls, scene: Scene) -> "Ends":
        """As PostgreSQL has it now."""
        connection = await asyncpg.connect(scene.stage.database_url)
        try:
            rows = await connection.fetch(_OPEN)
        finally:
            await connection.close()
        wanted: dict[tuple[str, str], int] = {}
        for conversation, owner, customer, head, customer_head in rows:
            wanted[customer, conversation] = customer_head
            if owner:
                wanted[owner, conversation] = head
        return cls(wanted)

    async def reached(self, people: Sequence[Person], within_s: float) -> float:
        """Seconds until these people have all of theirs; infinite when that takes longer. What was closed or given
        away meanwhile, and is not theirs any more, counts as reached."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while any(self._lacks(person) for person in people):
            if loop.time() - began > within_s:
                return float("inf")
            await asyncio.sleep(POLL_S)
        return loop.time() - began

    def _lacks(self, person: Person) -> bool:
        view = person.client.view
        for conversation, log in person.client.logs.items():
            known = view.conversations.get(conversation)
            if known is None or not view.is_own(known):
                continue
            if log.cursor < self._wanted.get((person.id, conversation), 0):
                return True
        return False
