"""Somebody beside the party: one visitor on a bare socket, who does only what a fault has them do."""

import random
from itertools import count

from loadtest.front_desk import Asker, Door, address
from loadtest.line import Line
from loadtest.people import Party
from loadtest.stage import Node

_numbers = count(4_000)
"""Their addresses are nobody else's."""


class Guest:
    """A visitor of the party's shop, connected to one node past the balancer. Made by `at`."""

    def __init__(self, line: Line, asker: Asker, session_token: str) -> None:
        self.line = line
        self.asker = asker
        self.session_token = session_token
        """with which the same visitor comes back"""

    @classmethod
    async def at(cls, node: Node, party: Party, dice: random.Random, session_token: str = "") -> "Guest":
        """Come in. Raises Refused, LineBroken."""
        return await cls.through(node.port, party, dice, session_token)

    @classmethod
    async def through(cls, port: int, party: Party, dice: random.Random, session_token: str = "") -> "Guest":
        """The same at any port that leads to a node."""
        async with Door(port, address(next(_numbers) + dice.randrange(1))) as door:
            body = {"shop": party.shop.slug, **({"session_token": session_token} if session_token else {})}
            given = await door.ask("POST", "/v1/widget/sessions", body)
            line, asker = await Asker.hello(door, str(given["ticket"]))
        return cls(line, asker, str(given["session_token"]))

    def listen(self, on: bool) -> None:
        """Read, or do not."""
        self.line.listen(on)

    async def leave(self) -> None:
        """Go."""
        await self.line.close()
