"""Pushes as bytes between nodes: a line of JSON about the push, then its frame as it goes to the socket."""

from typing import Any

import orjson

from protocol.codes import CloseCode
from protocol.events import Plane
from protocol.ids import ConversationId, PersonId, ShopId
from server.push import Control, Push


def pack(shop: ShopId, item: Push | Control) -> bytes:
    """One push or control of a shop."""
    if isinstance(item, Push):
        about = [shop, item.to, item.plane, item.key, item.conversation, item.seq]
        return orjson.dumps(about) + b"\n" + item.frame
    return orjson.dumps([shop, item.to, item.close, item.reason])


def unpack(payload: bytes) -> tuple[ShopId, Push | Control]:
    """The reverse. What a newer node says beside it is passed over (fault 32). ValueError, TypeError or IndexError for
    what `pack` did not make."""
    head, framed, frame = payload.partition(b"\n")
    about: list[Any] = orjson.loads(head)
    shop, people = ShopId(about[0]), tuple(PersonId(person) for person in about[1])
    if not framed:
        return shop, Control(people, CloseCode(about[2]), about[3])
    conversation = None if about[4] is None else ConversationId(about[4])
    return shop, Push(people, frame, Plane(about[2]), about[3], conversation, about[5])
