"""Routes of live state: agents, their slots, queue pools, and the count of broken invariants."""

from fastapi import APIRouter

from protocol.ids import AccountId
from protocol.methods.agents import SlotsResult
from protocol.shapes import AgentCard, PoolCard
from server.http.fields import Id, View
from server.http.guard import Asking, Given, GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["live state"])


class Agents(View):
    """All agents of the shop."""

    items: list[AgentCard]


class Queues(View):
    """Every queue pool in which somebody waits."""

    items: list[PoolCard]


class Invariants(View):
    """Violations found on live data, by invariant: each is always 0."""

    violations: dict[str, int]


@router.get("/v1/agents")
async def list_agents(deps: Given, caller: Asking) -> Agents:
    """Agents with status, presence and load."""
    return Agents(items=await deps.live.agents(caller.shop_id))


@router.get("/v1/agents/{account_id}/slots")
async def get_slots(deps: Given, caller: Asking, account_id: Id) -> SlotsResult:
    """For every slot that an agent holds, why it is held (KS-22)."""
    return await deps.live.slots(caller.shop_id, AccountId(str(account_id)))


@router.get("/v1/queues")
async def list_queues(deps: Given, caller: Asking) -> Queues:
    """Queue pools with length and longest wait."""
    return Queues(items=await deps.live.pools(caller.shop_id))


@router.get("/v1/invariants")
async def count_violations(deps: Given, caller: Asking) -> Invariants:
    """How often an invariant of the live data is broken. Anything but 0 is a bug."""
    return Invariants(violations=await deps.live.invariants(caller.shop_id))
