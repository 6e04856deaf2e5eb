"""The records of a run's journal: what a line of it may say. Pure.

One line is one record: a list in JSON, whose first member says what it is and whose others are the members of the class
of that name (`RECORDS`). `at_us` is the machine's monotonic clock in microseconds, the same for all processes of a run.
"""

from typing import Any, Final, NamedTuple, TypeAlias, cast

import orjson


class Began(NamedTuple):
    """The journal. `wall_ms`: the wall clock at that moment; `seed`: of the dice of the run."""

    at_us: int
    wall_ms: int
    seed: int


class Came(NamedTuple):
    """Somebody writes with this pen from now on: a session of a person. `kind`: as in `Party`."""

    at_us: int
    pen: str
    person: str
    kind: str
    shop: str


class Sent(NamedTuple):
    """Is about to send this for the first time. `name`: the `client_message_id`; `digest`: see `digest`."""

    at_us: int
    pen: str
    conversation: str
    name: str
    digest: str
    internal: bool


class Acked(NamedTuple):
    """The server has it, under this number of the sender's numbering."""

    at_us: int
    pen: str
    conversation: str
    name: str
    seq: int
    message_id: str
    duplicate: bool


class Refused(NamedTuple):
    """The last answer to a send: `code` says whether it may have been stored all the same (1051), or cannot have."""

    at_us: int
    pen: str
    conversation: str
    name: str
    code: int
    reason: str


class Given(NamedTuple):
    """An entry of a log was given to somebody, in the reader's numbering."""

    at_us: int
    pen: str
    conversation: str
    seq: int
    message_id: str
    name: str
    digest: str
    internal: bool


class Read(NamedTuple):
    """`read.mark` was answered: this is read, for good."""

    at_us: int
    pen: str
    conversation: str
    seq: int


class Saw(NamedTuple):
    """Ids that came to somebody of this shop for the first time, in whatever it was."""

    at_us: int
    shop: str
    ids: list[str]


class Held(NamedTuple):
    """What somebody's events had made of a conversation at the end, without what is not compared."""

    at_us: int
    pen: str
    conversation: str
    facts: dict[str, Any]


class Fresh(NamedTuple):
    """The same in a fresh snapshot, right after."""

    at_us: int
    pen: str
    conversation: str
    facts: dict[str, Any]


class Stayed(NamedTuple):
    """Was there when all was over, and had the time to catch up: whatever is theirs has come."""

    at_us: int
    pen: str


class Fault(NamedTuple):
    """A fault of the table: `phase` is `begun` or `over`."""

    at_us: int
    number: int
    phase: str
    figures: dict[str, Any]


Record: TypeAlias = Began | Came | Sent | Acked | Refused | Given | Read | Saw | Held | Fresh | Stayed | Fault
RECORDS: Final[dict[str, type[Record]]] = {
    kind.__name__.lower(): kind
    for kind in (
        Began,
        Came,
        Sent,
        Acked,
        Refused,
        Given,
        Read,
        Saw,
        Held,
        Fresh,
        Stayed,
        Fault,
    )
}
"""First member of a line -> what follows."""


def record(line: bytes) -> Record:
    """What a line says. Raises ValueError for what is none."""
    what, *members = cast("list[Any]", orjson.loads(line))
    if what not in RECORDS:
        raise ValueError(f"no record is called {what!r}")
    kind: Any = RECORDS[what]
    if len(members) != len(kind._fields):
        raise ValueError(f"{what!r} has {len(kind._fields)} members, not {len(members)}")
    return cast("Record", kind(*members))
