"""Agents and supervisors who mostly listen: what each line gets is counted, hardly read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loadtest.front_desk import Asker, Door
from loadtest.line import Line
from loadtest.pointsman_stand import PASSWORD, SHOP
from loadtest.speech import Heard, PointsmanSpeech

SPEECH = PointsmanSpeech()
_WALL = b'{"jsonrpc":"2.0","method":"monitor.changed",'
_ASKED = b'{"jsonrpc":"2.0","id":"setup-'


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody at a line. `on_message` gets the number of each message that arrives, `on_wall` the length of each wall
    in bytes."""

    line: Line
    asker: Asker
    on_message: Callable[[int], None]
    on_wall: Callable[["Listener", int], None]

    @classmethod
    async def sign_in(cls, port: int, email: str) -> "Listener":
        """An account of the shop, connected and live. Raises Refused, LineBroken."""
        async with Door(port) as door:
            token = await door.sign_in(SHOP, email, PASSWORD)
            return await cls.again(door, token)

    @classmethod
    async def again(cls, door: Door, token: str) -> "Listener":
        """One more connection of whoever has this token."""
        line, asker = await Asker.hello(door, await door.account_ticket(token), "desktop")
        listener = cls(line, asker, _nothing, _nothing)
        line.hear = listener.hear
        return listener

    async def asks(self, method: str, **params: Any) -> Any:
        """One request; its result. Raises Refused, LineBroken."""
        return await self.asker.ask(method, params)

    def hear(self, text: bytes) -> None:
        """For the line."""
        if text.startswith(_WALL):
            self.on_wall(self, len(text))
        elif text.startswith(_ASKED):
            self.asker.hear(text)
        else:
            heard = SPEECH.hear(text)
            if heard.what is Heard.DELIVERED:
                self.on_message(heard.number)
            elif heard.what is Heard.PING:
                self.line.say(SPEECH.pong)


def _nothing(*_: object) -> None:
    """Nobody counts yet."""
