"""The shop that stands for its pictures: two nodes, a second shop founded a minute ago, and a day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from protocol.ids import new_id
from protocol.shapes import Conversation
from server.chat.door import Door
from server.chat.identity import Order, Person
from server.chat.link import Link
from server.demo import seed
from server.demo.board import Board
from server.demo.phrases import load as load_phrases
from server.demo.robot import Robot
from server.demo.traffic import Traffic
from server.demo.watcher import Watcher
from server.embedded import servers
from server.store.migrate import migrate
from tests.browser.backstage import Backstage
from tests.browser.gallery.caller import Caller
from tests.browser.gallery.past import gives_a_past
from tests.browser.gallery.story import Called, Story
from tests.browser.office import Office
from tests.browser.people import WEB, Visitor, Window
from tests.browser.running_shop import Colleague, RunningShop

KETTLE = Path(__file__).resolve().parents[1] / "kettle.png"
SERVED_FIRST = 8
"""So many conversations the robots end before a busy picture is taken."""


@dataclass
class Stage:
    """What surfaces find."""

    shop: RunningShop
    office: Office
    database_url: str
    story: Story
    zhou: Colleague = field(init=False)
    lin: Colleague = field(init=False)
    admin: Colleague = field(init=False)
    filled: bool = False
    shown: str = ""
    """the conversation that the pictures of the workbench show"""
    asked: Iterator[int] = field(default_factory=lambda: count(2))
    """so many kettles the next visitor wants: found again by that"""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def fills(self, browser: Browser) -> None:
        """People come to work, customers come, and the robots' day begins."""
        shop = self.shop
        shop.backstage.do(self._robots_begin())
        self.admin = Colleague(shop.backstage, shop.a, seed.ADMIN, at_work=False)
        shop.backstage.do(self.admin.arrive())
        self.filled = True
        # Zhou has five in hand and Lin one, so that the rest of the after-sale customers wait.
        self.zhou = shop.colleague(seed.SECOND_HUMAN)
        self.zhou.ends(self._answered(self.story.earlier), "solved")
        self.shown = self._talks(browser)
        for called in self.story.callers:
            self.calls(called)
        self.lin = shop.colleague(seed.HUMAN)
        shop.backstage.do(self.lin.client.request("participant.join", conversation_id=self.shown))
        for called in self.story.waiting:
            self.calls(called)

    def _answered(self, called: Called) -> Conversation:
        self.calls(called)
        asked = self.zhou.gets(called[-1][0])
        self.zhou.reads(asked)
        self.zhou.says(asked, self.story.earlier_answer)
        return asked

    def calls(self, called: Called) -> None:
        """This customer comes with their order, and says all that they have to say."""
        name, state, number, title, amount, words = called
        person = Person(f"shop-{number.lower()}", name, orders=(Order(number, state, title, amount),))
        do, key = self.shop.backstage.do, self.shop.seeded.identity
        caller = do(Caller.asks(self.shop.b, key, person, words[0]))
        self._stack.push_async_callback(caller.hangs_up)
        for more in words[1:]:
            do(caller.says(more))

    def gives_lin(self, text: str) -> Conversation:
        """Lin gets whoever asked this, wherever that was routed."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for each in self.shop.backstage.do(self.admin.open_conversations()):
                last = each.last_message
                if last is not None and text in getattr(last.body, "text", ""):
                    self.admin.assigns(each, self.lin)
                    return self.lin.gets(text)
            time.sleep(0.1)
        raise TimeoutError(text)

    def _talks(self, browser: Browser) -> str:
        """The conversation with everything in it: a picture, a quote, a note that names somebody, divided work."""
        zhou, window, story = self.zhou, Window.open(browser, self.story.language), self.story
        visitor = Visitor(window, story.language).comes_to(self.shop.b).opens_the_chat()
        visitor.writes(story.asked)
        asked = zhou.gets(story.asked)
        visitor.sends(KETTLE)
        visitor.log.locator("img").first.wait_for()
        zhou.says(asked, story.inspected)
        visitor.sees(story.inspected)
        visitor.writes(story.impatient)
        zhou.gets(story.impatient)
        visitor.page.close()
        backstage, ask = self.shop.backstage, zhou.client.request
        about: dict[str, Any] = {"conversation_id": asked.conversation_id}
        question = next(
            each.message_id
            for each in zhou.client.logs[asked.conversation_id].messages
            if story.asked in getattr(each.body, "text", "")
        )
        lin = self.shop.seeded.accounts[seed.HUMAN.key]
        text = story.note.format(who=story.mentioned)
        note = {"kind": "note", "text": text, "mentions": [lin]}
        quoting = {
            "kind": "text",
            "text": story.refunded,
            "quote": {"message_id": question},
        }
        backstage.do(ask("message.send", **about, client_message_id=new_id(), body=quoting))
        backstage.do(ask("note.send", **about, client_message_id=new_id(), body=note))
        for work in story.works:
            backstage.do(ask("item.add", **about, item_id=new_id(), text=work))
        zhou.says(asked, story.wrong)
        wrong = zhou.client.logs[asked.conversation_id].messages[-1].message_id
        backstage.do(ask("message.recall", **about, message_id=wrong))
        return asked.conversation_id

    async def _robots_begin(self) -> None:
        shop, phrases = self.shop, load_phrases(self.story.language)
        board = Board(lambda _: None, lambda _: None)
        board.humans = frozenset(shop.seeded.accounts[person.key] for person in seed.HUMANS)
        doors = [await self._stack.enter_async_context(Door(url)) for url in (shop.a, shop.b)]
        links = [await self._enters(doors[0], person) for person in seed.ROBOTS]
        robots = [Robot(link, phrases, board) for link in links]
        traffic = Traffic(doors, shop.seeded.identity, phrases, board)
        traffic.robots(robots)
        watcher = Watcher(await self._enters(doors[0], seed.SUPERVISOR), board)
        jobs = [traffic.run(), watcher.run(), *(robot.run() for robot in robots)]
        tasks = [asyncio.create_task(job) for job in jobs]

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._stack.push_async_callback(end)
        self.board = board

    async def _enters(self, door: Door, person: seed.Person) -> Link:
        signed_in = await door.sign_in(seed.SHOP, person.email, seed.PASSWORD)

        async def ticket() -> str:
            return await door.ticket(signed_in)

        link = Link(door.socket_url, ticket, name="robot", origin=door.origin, sign_out=True)
        return await self._stack.enter_async_context(link)

    def has_a_past(self) -> None:
        """Waits until enough was served for lists to say something; what was before is made up."""
        seeded = self.shop.seeded
        agents = [seeded.accounts[person.key] for person in (*seed.HUMANS, *seed.ROBOTS)]
        self.shop.backstage.do(gives_a_past(self.database_url, seeded.shop_id, agents))
        deadline = time.monotonic() + 120
        while self.board.totals.closed < SERVED_FIRST and time.monotonic() < deadline:
            time.sleep(0.5)

    def leaves(self) -> None:
        """Everybody goes."""
        self.office.close()
        if self.filled:
            self.shop.backstage.do(self.admin.leave())
        with suppress(TimeoutError):
            self.shop.backstage.do(self._stack.aclose())


@contextmanager
def stage(story: Story) -> Generator[Stage]:
    """Private servers, two nodes, the shops; everything back again at the end."""
    assert (WEB / "node_modules").exists(), "make web first"
    backstage = Backstage()
    with TemporaryDirectory(prefix="pm-screenshots-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        running = backstage.do(servers.start(state_dir=place / "servers"))
        try:
            backstage.do(migrate(running.database_url))
            shop = RunningShop.start(
                backstage,
                running.database_url,
                running.redis_url,
                place,
                language=story.language,
                name=story.shop,
            )
            there = Stage(shop, Office(shop), running.database_url, story)
            try:
                yield there
            finally:
                there.leaves()
                shop.stop()
        finally:
            backstage.do(running.aclose())
            backstage.close()
