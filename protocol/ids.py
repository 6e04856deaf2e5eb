"""Identifiers, as distinct types, and how new ones are made.

All ids but `ClientMessageId` are UUID version 7 (RFC 9562 section 5.7) in their canonical text form: they sort by
the time they were made, which keeps database indexes dense. Client message ids are chosen by clients.
"""

import os
import random
import threading
import time
from typing import Final, NewType

ShopId = NewType("ShopId", str)
AccountId = NewType("AccountId", str)
CustomerId = NewType("CustomerId", str)
ConversationId = NewType("ConversationId", str)
ConnectionId = NewType("ConnectionId", str)
SessionId = NewType("SessionId", str)
MessageId = NewType("MessageId", str)
GroupId = NewType("GroupId", str)
ClientMessageId = NewType("ClientMessageId", str)
PersonId = NewType("PersonId", str)
"""An account or a customer: whoever can be at a connection."""


_lock = threading.Lock()
_ms = 0
_stem = ""
"""The text of `_ms` and of the version."""
_count = 0
"""26 bits after the version. 48 random ones follow."""


def new_id() -> str:
    """A fresh UUIDv7 as text. Unique without coordination; ordered by the millisecond, and within a process, whatever
    its threads and its clock do, by the order of the calls.

    Within a millisecond a counter grows that begins anywhere (RFC 9562 section 6.2, method 1: 26 bits, 25 of them
    random); a clock that was set back is waited for in the same way.
    """
    global _ms, _stem, _count
    with _lock:
        # Ids are no secrets: a generator that the system seeded, also after a fork, is good enough, and ten times
        # cheaper.
        ms = time.time_ns() // 1_000_000
        if ms > _ms or _count == _FULL:
            _ms = max(ms, _ms + 1)
            _stem = f"{_ms >> 16:08x}-{_ms & 0xFFFF:04x}-7"
            _count = random.getrandbits(25)
        else:
            _count += 1
        # A fifth cheaper than an f-string, at 1.1 us.
        return "%s%03x-%04x-%012x" % (_stem, _count >> 14, 0x8000 | _count & 0x3FFF, random.getrandbits(48))  # noqa: UP031


_FULL: Final = (1 << 26) - 1


def _begin_anew() -> None:
    """In the child of a fork: whoever held the lock is not here, and the parent goes on with the same counter."""
    global _lock, _ms
    _lock = threading.Lock()
    _ms = 0


os.register_at_fork(after_in_child=_begin_anew)
