"""Whoever looks or acts: a session, or a caller of the HTTP API."""

from typing import Protocol

from protocol.ids import PersonId, ShopId
from protocol.states import PersonKind


class Viewer(Protocol):
    """Who it is, and what they are to the shop."""

    @property
    def shop_id(self) -> ShopId: ...

    @property
    def person_id(self) -> PersonId: ...

    @property
    def kind(self) -> PersonKind: ...

    @property
    def roles(self) -> frozenset[str]: ...
