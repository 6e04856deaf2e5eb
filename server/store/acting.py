"""Who is acting now: what the database writes into the audit beside a change (GP-03, KS-23).

The doors say it once, at the beginning of a request; every statement of that request that changes an audited table
carries it to PostgreSQL, whoever wrote the statement. Whoever says nothing acts as the system: sweeps do.
"""

import base64
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, Protocol

import orjson

AUDITED: Final = frozenset(
    {
        "accounts",
        "api_keys",
        "break_glass",
        "customers",
        "dated_days",
        "dated_shifts",
        "duty_by_hand",
        "file_settings",
        "group_members",
        "groups",
        "holiday_hours",
        "holidays",
        "identity_keys",
        "quick_replies",
        "roles",
        "rules",
        "schedules",
        "shop_origins",
        "shops",
        "wall_settings",
    }
)
"""Tables whose changes the database records by itself; a test holds this against its triggers."""

_CHANGES: Final = re.compile(
    r"\b(?:INSERT\s+INTO|DELETE\s+FROM|(?<!\bFOR )(?<!\bFOR NO KEY )(?<!\bDO )UPDATE)\s+(\w+)", re.IGNORECASE
)


class Actor(Protocol):
    """Somebody who acts."""

    def plain(self) -> dict[str, Any]:
        """Members `kind`, `id`, `name`, `source`; asked for only when there is something to record."""
        ...


_ACTOR: Final[ContextVar[Actor | None]] = ContextVar("pointsman_actor", default=None)


def act_as(actor: Actor) -> None:
    """From now on this task, and what it starts, acts for `actor`: for requests that run in a task of their own."""
    _ACTOR.set(actor)


@contextmanager
def acting(actor: Actor) -> Generator[None]:
    """Act for `actor` in this block."""
    before = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(before)


def actor_now() -> Actor | None:
    """Who acts; None: the system."""
    return _ACTOR.get()


@lru_cache(maxsize=1024)
def concerns_audit(sql: str) -> bool:
    """Whether a statement changes an audited table."""
    return not AUDITED.isdisjoint(name.lower() for name in _CHANGES.findall(sql))


def declaration(sql: str) -> str | None:
    """What tells PostgreSQL who acts, for the transaction in which `sql` runs; None: nothing is to be told.

    In base64, so that no name can end the literal."""
    actor = _ACTOR.get()
    if actor is None or not concerns_audit(sql):
        return None
    return f"SET LOCAL pointsman.act = '{base64.b64encode(orjson.dumps(actor.plain())).decode()}'"
