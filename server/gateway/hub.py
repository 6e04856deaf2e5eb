"""Who is connected to this process, and how pushes get from here to their sockets.

Knows connections only by `Member`; knows nothing of other nodes (that is `server.bus`).
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from protocol.codes import CloseCode
from protocol.events import Plane
from protocol.ids import PersonId, SessionId, ShopId
from server.failpoints import armed, strikes
from server.push import Control, Push
from server.session import Session


class Member(Protocol):
    """A connection, as far as the hub is concerned."""

    @property
    def session(self) -> Session: ...

    def push(self, push: Push) -> None: ...

    def close(self, code: int, reason: str) -> None: ...

    def replaced(self) -> None: ...


class Hub:
    """Person -> connections of this process, apart for every shop (I5: a push never leaves its shop)."""

    __slots__ = ("_shops", "_size")

    def __init__(self) -> None:
        self._shops: dict[ShopId, dict[PersonId, list[Member]]] = {}
        self._size = 0

    def __len__(self) -> int:
        """How many connections."""
        return self._size

    def add(self, member: Member) -> None:
        """From now on pushes to its person reach it. Once per connection."""
        session = member.session
        people = self._shops.setdefault(session.shop_id, {})
        people.setdefault(session.person_id, []).append(member)
        self._size += 1

    def remove(self, member: Member) -> None:
        """No pushes any more. Removing what is not there changes nothing."""
        session = member.session
        people = self._shops.get(session.shop_id, {})
        members = people.get(session.person_id, [])
        if member not in members:
            return
        members.remove(member)
        self._size -= 1
        if not members:
            del people[session.person_id]
            if not people:
                del self._shops[session.shop_id]

    def deliver(self, shop: ShopId, items: Iterable[Push | Control]) -> None:
        """Hand each push to every connection here of each of its people; carry out controls. Never blocks."""
        people = self._shops.get(shop)
        if people is None:
            return
        for item in items:
            for person in item.to or (tuple(people) if isinstance(item, Control) else ()):
                members = people.get(person)
                if members is None:
                    continue
                for member in tuple(members):  # one that turns out to be stuck leaves the list
                    if armed and _lost(item):
                        continue
                    if isinstance(item, Push):
                        member.push(item)
                    else:
                        member.close(item.close, item.reason)

    def replace(self, newcomer: Member, session_id: SessionId) -> None:
        """Tell other connections of the same person that carry this session id that it goes on elsewhere (4003)."""
        session = newcomer.session
        for member in tuple(self._shops.get(session.shop_id, {}).get(session.person_id, ())):
            if member is not newcomer and member.session.session_id == session_id:
                member.replaced()

    def count(self, shop: ShopId, person: PersonId) -> int:
        """Connections of one person on this process."""
        return len(self._shops.get(shop, {}).get(person, ()))

    def holds(self, session: Session) -> bool:
        """Whether this very session's connection is here."""
        people = self._shops.get(session.shop_id, {})
        return any(member.session is session for member in people.get(session.person_id, ()))

    def members(self) -> Iterator[Member]:
        """All connections; do not add or remove while iterating."""
        for people in self._shops.values():
            for members in people.values():
                yield from members

    def sessions(self, shop: ShopId | None = None) -> tuple[Session, ...]:
        """All sessions here, or those of one shop."""
        if shop is None:
            return tuple(member.session for member in self.members())
        return tuple(member.session for members in self._shops.get(shop, {}).values() for member in members)

    def shops(self) -> tuple[ShopId, ...]:
        """Shops with at least one connection here."""
        return tuple(self._shops)

    def close_all(self, code: CloseCode, reason: str) -> int:
        """End every connection at once (lost lease). Returns how many."""
        members = tuple(self.members())
        for member in members:
            member.close(code, reason)
        return len(members)


def _lost(item: Push | Control) -> bool:
    """Whether a test build loses it here."""
    return isinstance(item, Push) and item.plane is Plane.DURABLE and strikes("delivery.drop")
