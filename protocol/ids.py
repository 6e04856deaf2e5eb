"""Identifiers, as distinct types, and how new ones are made.

All ids but `ClientMessageId` are UUID version 7 (RFC 9562 section 5.7) in their canonical text form: they sort by
the time they were made, which keeps database indexes dense. Client message ids are chosen by clients.
"""

import random
import time
from typing import NewType

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


def new_id() -> str:
    """A fresh UUIDv7 as text. Unique without coordination; ordered by millisecond."""
    ms = time.time_ns() // 1_000_000
    # Ids are no secrets: a generator that the system seeded, also after a fork, is good enough, and ten times cheaper.
    noise = random.getrandbits(74)
    value = ms << 80 | 0x7 << 76 | noise >> 62 << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
