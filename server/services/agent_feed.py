"""Tells agents about themselves: status, presence and load after each change, the latest value only.

Changes are collected while the last round is under way, so a burst of assignments costs one look per agent and round.
"""

import asyncio
from collections.abc import Iterable

import structlog

from protocol.errors import RequestError
from protocol.events import AgentChanged
from protocol.ids import AccountId, PersonId, ShopId
from router.redis_link import LinkError
from server.bus import Bus
from server.push import Push, push
from server.services import views
from server.services.live import Live
from server.services.names import Names

log = structlog.get_logger("agent_feed")

RETRY_S = 1.0
"""When Redis or the database is away: everybody is told when they are back."""


class AgentFeed:
    """`touch` those whose live state may have changed; they get `agent.changed` soon."""

    def __init__(self, bus: Bus, live: Live, names: Names) -> None:
        self._bus = bus
        self._live = live
        self._names = names
        self._touched: dict[ShopId, dict[PersonId, None]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin telling."""
        self._task = asyncio.create_task(self._run(), name="agent_feed")

    async def aclose(self) -> None:
        """Stop; what is not told yet will be seen at the next hello."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def touch(self, shop: ShopId, people: Iterable[PersonId]) -> None:
        """Something about these people changed; those who are no agents are skipped."""
        self._touched.setdefault(shop, {}).update(dict.fromkeys(people))
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            touched, self._touched = self._touched, {}
            for shop, people in touched.items():
                try:
                    await self._tell(shop, list(people))
                except (LinkError, RequestError) as error:
                    log.warning("agent_feed_failed", shop=shop, error=repr(error))
                    asyncio.get_running_loop().call_later(RETRY_S, self.touch, shop, tuple(people))
                except Exception:  # a bug; but the others must go on hearing of themselves
                    log.exception("agent_feed_failed", shop=shop)

    async def _tell(self, shop: ShopId, people: list[PersonId]) -> None:
        engine = self._live.engine(shop)
        states = await asyncio.gather(*(engine.agent(AccountId(person)) for person in people))
        pushes: list[Push] = []
        for state in states:
            if state is not None:
                account = state.profile.agent
                card = views.agent_card(state, (await self._names.party(shop, account)).name)
                pushes.append(
                    push(
                        (PersonId(account),),
                        "agent.changed",
                        AgentChanged(agent=card),
                        key=f"agent:{account}",
                    )
                )
        self._bus.publish(shop, pushes)
