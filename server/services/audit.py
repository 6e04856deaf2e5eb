"""The audit: what was done and what was refused, by whom, when, from where, with before and after.

Changes of rights, settings and owners are recorded by the database itself, in the transaction that makes them
(migration 0005); what is no change of a row (a supervisor's act, a refused try) is recorded through `Audit`. Nothing
here can be changed or deleted, by anybody, over any API.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from protocol.errors import RequestError
from protocol.ids import ShopId
from server.store.acting import actor_now
from server.store.audit import AuditRow, AuditStore, Wanted
from server.store.rows import Page

log = structlog.get_logger("audit")

SYSTEM: Final[Mapping[str, Any]] = {"kind": "system", "id": "", "name": "", "source": {}}
"""Who acts when nobody said."""


@dataclass(frozen=True, slots=True)
class Source:
    """From where."""

    via: str
    """`socket`, `http`, `cli`, `rule`"""
    session_id: str = ""
    device: str = ""
    address: str = ""

    def plain(self) -> dict[str, str]:
        """Without what is not known."""
        members = {
            "via": self.via,
            "session_id": self.session_id,
            "device": self.device,
            "address": self.address,
        }
        return {name: value for name, value in members.items() if value}


@dataclass(frozen=True, slots=True)
class Act:
    """Something somebody did, or tried."""

    shop_id: ShopId
    actor_kind: str
    """`account`, `bot`, `customer`, `key`, `rule`, `cli`, `system`"""
    actor_id: str
    actor_name: str
    action: str
    """a method, a route, or `<table>.<change>` for what the database records itself"""
    source: Source | Mapping[str, str]
    subject_kind: str = ""
    subject_id: str = ""
    reason: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = field(default=None)


class Audit:
    """Records. It is append-only."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def record(self, act: Act) -> None:
        """Record something that was done. Raises UNAVAILABLE when the database is away: a supervisor's act that cannot
        be recorded is not to be done, so record it first."""
        await self._store.add(
            act.shop_id,
            actor_kind=act.actor_kind,
            actor_id=act.actor_id,
            actor_name=act.actor_name,
            action=act.action,
            subject_kind=act.subject_kind,
            subject_id=act.subject_id,
            outcome="done",
            reason=act.reason,
            before=act.before,
            after=act.after,
            source=_plain(act.source),
        )

    async def done(
        self,
        shop_id: ShopId,
        action: str,
        subject_kind: str,
        subject_id: str,
        *,
        reason: str = "",
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """`record` for whoever acts now, as the doors said. For what is no change of an audited row: those are recorded
        by the database, and once is enough."""
        acting = actor_now()
        actor = SYSTEM if acting is None else acting.plain()
        await self.record(
            Act(
                shop_id=shop_id,
                actor_kind=actor["kind"],
                actor_id=actor["id"],
                actor_name=actor["name"],
                action=action,
                source=actor["source"],
                subject_kind=subject_kind,
                subject_id=subject_id,
                reason=reason,
                before=before,
                after=after,
            )
        )

    async def search(
        self, shop_id: ShopId, wanted: Wanted, *, cursor: str | None = None, limit: int = 50
    ) -> Page[AuditRow]:
        """Records that match, the newest first. INVALID_PARAMS `bad_cursor`, UNAVAILABLE `database_slow`."""
        return await self._store.search(shop_id, wanted, cursor=cursor, limit=limit)

    async def refused(self, act: Act, error: RequestError) -> None:
        """Record a refused try (GP-03). Never raises: the refusal stands whether it could be recorded or not."""
        try:
            await self._store.add(
                act.shop_id,
                actor_kind=act.actor_kind,
                actor_id=act.actor_id,
                actor_name=act.actor_name,
                action=act.action,
                subject_kind=act.subject_kind,
                subject_id=act.subject_id,
                outcome="refused",
                reason=error.reason,
                before=None,
                after=act.after,
                source=_plain(act.source),
            )
        except RequestError as failure:
            log.warning("refusal_unrecorded", shop=act.shop_id, action=act.action, reason=failure.reason)


def _plain(source: Source | Mapping[str, str]) -> dict[str, str]:
    return source.plain() if isinstance(source, Source) else dict(source)
