"""The audit: what was done and what was refused, by whom, when, from where, with before and after.

Changes of rights, settings and owners are recorded by the database itself, in the transaction that makes them
(migration 0005); what is no change of a row (a supervisor's act, a refused try) is recorded through `Audit`. Nothing
here can be changed or deleted, by anybody, over any API.
"""

from dataclasses import dataclass, field
from typing import Any

import structlog

from protocol.errors import RequestError
from protocol.ids import ShopId
from server.store.audit import AuditStore

log = structlog.get_logger("audit")


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
    """`account`, `bot`, `key`, `rule`, `system`"""
    actor_id: str
    actor_name: str
    action: str
    """a method, a route, or `<table>.<change>` for what the database records itself"""
    source: Source
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
            source=act.source.plain(),
        )

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
                source=act.source.plain(),
            )
        except RequestError as failure:
            log.warning("refusal_unrecorded", shop=act.shop_id, action=act.action, reason=failure.reason)
