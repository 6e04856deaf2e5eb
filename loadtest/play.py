"""One run, from the curtain to the verdict: a stage, its people, their journal, and the check of everything."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from loadtest.checker import Verdict, check
from loadtest.journal import Journal
from loadtest.people import Book, Party, Profile
from loadtest.stage import BalancerChoice, Stage

NEIGHBOURS = 3
"""customers of the second shop: nothing of the first may reach them (I5)"""


class Wished(Protocol):
    """What is wished of a stage, whatever is played on it."""

    @property
    def nodes(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def balancer(self) -> BalancerChoice: ...


class Play:
    """Made by `open`. `party` is the shop that matters; `neighbours` a small one beside it on the same nodes."""

    def __init__(self, stage: Stage, journal: Journal, party: Party, neighbours: Party) -> None:
        self.stage = stage
        self.journal = journal
        self.party = party
        self.neighbours = neighbours

    @classmethod
    async def open(
        cls,
        folder: Path,
        profile: Profile,
        undo: AsyncExitStack,
        wishes: Wished,
        book: Book,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> "Play":
        """Everything is set up and the staff of both shops is at work; no customer has come yet.

        `undo` ends it all. Raises ChildFailed, Refused, PartyFailed.
        """
        seed = wishes.seed
        stage = await Stage.open(
            folder, nodes=wishes.nodes, shops=2, settings=settings, balancer=wishes.balancer
        )
        undo.push_async_callback(stage.close)
        ours, others = stage.shops
        await ours.employ(agents=profile.agents, supervisors=profile.supervisors, capacity=profile.capacity)
        if profile.bot:
            await ours.employ(bots=1)
            await ours.change_policy(bot={"enabled": True, "account": ours.bots[0].id})
        await others.employ(agents=1, capacity=NEIGHBOURS)
        for shop in stage.shops:
            await shop.change_policy(wrap_up_s=0)  # a run lasts minutes, and slots shall be used again
        journal = undo.enter_context(Journal(folder / "journal", seed=seed))
        next_door = replace(profile, slow=0.0, storm_every_s=0.0, supervisors=0, bot=False)
        play = cls(
            stage,
            journal,
            Party(ours, journal, profile, book, seed=seed),
            Party(others, journal, next_door, Book(), seed=seed + 1),
        )
        for party in (play.party, play.neighbours):
            undo.push_async_callback(party.close)
        if profile.slow:
            thin = await stage.wire("thin line")
            await thin.throttle(profile.slow_bytes_per_s)
            play.party.thin_port = thin.port
        await asyncio.gather(play.party.staff_come(), play.neighbours.staff_come())
        return play

    async def customers_come(self, many: int, over_s: float, waves: int = 1) -> None:
        """The neighbours' at once, ours as `Party.customers_come`."""
        await self.neighbours.customers_come(NEIGHBOURS)
        await self.party.customers_come(many, over_s, waves)

    async def end(self, progress: Callable[[int, int], None] = lambda done, of: None) -> Verdict:
        """Everybody finishes and catches up; then everything is held against PostgreSQL. Raises Refused.

        Somebody whose life ended by a fault of theirs is a violation too: of what the client promises.
        """
        parties = (self.party, self.neighbours)
        await asyncio.gather(*(each.go_home(self.stage.database_url) for each in parties))
        self.journal.flush()
        live = {shop.slug: await shop.violations() for shop in self.stage.shops}
        verdict = await check([self.journal.path], self.stage.database_url, live=live, progress=progress)
        verdict.found(trouble for party in parties for trouble in party.troubles())
        return verdict
