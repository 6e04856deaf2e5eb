"""What happened in a run, as the people in it saw it: lines of JSON on disk, appended as things happen.

The lines are the records of `loadtest.records`. Several journals, one for each process that plays people, are read as
one: all have the machine's monotonic clock.

It is cheap (some microseconds a record), and buffered: it is the servers that are killed, not the one who writes this.
"""

import os
import time
from collections.abc import Iterator
from hashlib import md5
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast

import orjson

from protocol.client import Client
from protocol.codec import NotificationFrame
from protocol.errors import RequestError
from protocol.methods.messages import SendResult
from protocol.shapes import Conversation, Message, Shape

BUFFER_BYTES: Final = 1 << 20
ID_LENGTH: Final = 36
"""Of the server's ids: canonical UUIDs."""
NOT_COMPARED: Final = frozenset({"rev"})
"""Of a conversation, with I7: a version is no fact."""


def now_us() -> int:
    """The clock of all journals."""
    return time.monotonic_ns() // 1000


def digest(said: str) -> str:
    """Eight letters that stand for what was said; the checker has PostgreSQL make the same (`left(md5(...), 8)`)."""
    return md5(said.encode(), usedforsecurity=False).hexdigest()[:8]


def said_in(body: object) -> str:
    """What a body says: its text, its event, or what it refers to. Recalled: nothing."""
    for member in ("text", "event", "file_id", "order_id"):
        said = getattr(body, member, None)
        if isinstance(said, str):
            return said
    return ""


class Journal:
    """One process's share of it, begun anew. A context manager; or `close` it: until then the end may be in memory."""

    def __init__(self, path: Path, *, seed: int = 0) -> None:
        self.path = path
        self.acknowledged = 0
        """sends so far, for those who wait for some number of them"""
        self._file = path.open("wb", buffering=BUFFER_BYTES)
        self._numbers = count(1)
        self._sighted: dict[str, set[str]] = {}
        self.note("began", wall_ms_now(), seed)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def pen(self) -> "Pen":
        """For one session of one person."""
        return Pen(self, f"{os.getpid()}.{next(self._numbers)}")

    def fault(self, number: int, phase: str, **figures: Any) -> None:
        """A fault of the table begins (`begun`) or is over (`over`)."""
        self.note("fault", number, phase, figures)
        self.flush()

    def sighted(self, shop: str, ids: Iterator[str]) -> None:
        """Ids that somebody of this shop was shown; each is written once."""
        known = self._sighted.setdefault(shop, set())
        fresh = [each for each in ids if each not in known]
        if fresh:
            known.update(fresh)
            self.note("saw", shop, fresh)

    def note(self, what: str, *members: Any) -> None:
        """One record, by the name of its class and the members after `at_us`."""
        self._file.write(orjson.dumps((what, now_us(), *members), option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Everything so far is with the kernel."""
        self._file.flush()

    def close(self) -> None:
        """No more records. Repeating it does nothing."""
        self._file.close()


class Pen:
    """What one session of one person writes down. Give `heard` to the reference client as `on_event`."""

    def __init__(self, journal: Journal, name: str) -> None:
        self._journal = journal
        self._name = name
        self._client: Client | None = None
        self._shop = ""

    def of(self, client: Client) -> None:
        """The client whose owner writes: who they are is known with its first hello."""
        self._client = client

    def came(self, person: str, kind: str, shop: str) -> None:
        """Who writes, where there is no reference client to ask."""
        self._shop = shop
        self._journal.note("came", self._name, person, kind, shop)

    def sent(self, conversation: str, name: str, said: str, *, internal: bool = False) -> None:
        """About to be sent; before it goes out, so that nothing is stored that nobody sent. `conversation`: empty while
        it is about to be opened with this."""
        self._introduce()
        self._journal.note("sent", self._name, conversation, name, digest(said), internal)

    def acked(self, conversation: str, name: str, result: SendResult) -> None:
        """The server's reply."""
        self._journal.acknowledged += 1
        self._journal.note(
            "acked", self._name, conversation, name, result.seq, result.message_id, result.duplicate
        )

    def refused(self, conversation: str, name: str, refusal: RequestError) -> None:
        """The last answer, when it is a refusal."""
        self._journal.note("refused", self._name, conversation, name, int(refusal.code), refusal.reason)

    def given(
        self, conversation: str, seq: int, message_id: str, name: str, said: str, *, internal: bool
    ) -> None:
        """An entry of a log came."""
        self._introduce()
        self._journal.note("given", self._name, conversation, seq, message_id, name, digest(said), internal)

    def read(self, conversation: str, seq: int) -> None:
        """`read.mark` was answered."""
        self._journal.note("read", self._name, conversation, seq)

    def heard(self, frame: NotificationFrame) -> None:
        """Any notification, in the order in which the client gives them to its owner."""
        params = frame.params
        self._introduce()
        if isinstance(params, Message) and frame.event.name != "message.updated":
            name = params.client_message_id or ""
            said = said_in(params.body)
            self.given(
                params.conversation_id, params.seq, params.message_id, name, said, internal=params.internal
            )
        else:
            self._journal.sighted(self._shop, ids_in(params))

    def held(self, conversations: list[Conversation]) -> None:
        """What the events have made of the world: `Client.view.snapshot()`, at the end."""
        self._facts("held", conversations)

    def fresh(self, conversations: list[Conversation]) -> None:
        """What a fresh hello of the same person gives then."""
        self._facts("fresh", conversations)

    def stayed(self) -> None:
        """Was there to the end, and had the time to catch up."""
        self._journal.note("stayed", self._name)

    def _facts(self, what: str, conversations: list[Conversation]) -> None:
        for each in conversations:
            facts = each.model_dump(exclude=set(NOT_COMPARED))
            self._journal.note(what, self._name, each.conversation_id, facts)

    def _introduce(self) -> None:
        if self._client is not None and self._client.session is not None and not self._shop:
            me = self._client.session.me
            assert me.person.id is not None, "whoever has a session has an id"
            self.came(me.person.id, me.person.kind, me.shop_id)


def wall_ms_now() -> int:
    """The wall clock, only to say when a run was."""
    return time.time_ns() // 1_000_000


def ids_in(value: object) -> Iterator[str]:
    """Every id of the server's somewhere in a shape."""
    if isinstance(value, str):
        if len(value) == ID_LENGTH and value[8] == value[13] == value[18] == value[23] == "-":
            yield value
    elif isinstance(value, Shape):
        for member in value.__dict__.values():
            yield from ids_in(member)
    elif isinstance(value, dict):
        for key, member in cast("dict[str, object]", value).items():
            yield from ids_in(key)
            yield from ids_in(member)
    elif isinstance(value, list):
        for member in cast("list[object]", value):
            yield from ids_in(member)
