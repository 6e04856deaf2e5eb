"""Requests about agents: status, capacity, and what holds their slots."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.methods.conversations import Why
from protocol.shapes import AgentCard, Id, PoolCard, Shape, SlotCard
from protocol.states import AgentStatus


class SetStatusParams(Shape):
    """An agent's own status, or (service admin, owner) another's by `account_id` (KS-18).

    Going offline with open conversations must say what becomes of them: `keep` or `requeue` (at their original age).
    Setting another's is in the audit, with the reason.
    """

    status: Annotated[AgentStatus, Field(strict=False)]
    account_id: Id | None = None
    open_conversations: Literal["keep", "requeue"] | None = None
    reason: Why = ""


class SetCapacityParams(Shape):
    """How many conversations an agent may hold at once (KS-19). Own capacity, or (managers) another's; the reason is
    kept in the audit."""

    capacity: Annotated[int, Field(ge=1, le=500)]
    account_id: Id | None = None
    reason: Why = ""


class AgentResult(Shape):
    """The agent after the request."""

    agent: AgentCard


class AgentListResult(Shape):
    """All agents of the shop, and its queue pools."""

    agents: list[AgentCard]
    pools: list[PoolCard]


class SlotsParams(Shape):
    """Whose ledger; absent: the caller's own."""

    account_id: Id | None = None


class SlotsResult(Shape):
    """For every held slot, why it is held (KS-22)."""

    agent: AgentCard
    slots: list[SlotCard]
