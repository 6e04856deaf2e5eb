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
from tests.browser.office import Office
from tests.browser.people import WEB, Visitor, Window
from tests.browser.running_shop import Colleague, RunningShop

KETTLE = Path(__file__).resolve().parents[1] / "kettle.png"
ASKED = "我的退货到哪一步了？"
"""What the customer wants whose conversation the pictures of the workbench show."""
CALLERS = (
    ("嘉豪", "trade_done", "A-20311", "白瓷茶杯四件套", "¥ 129.00", ("杯子有一只磕了边，能补发吗？", "照片我稍后发。")),
    ("梓涵", "after_sale", "A-20466", "护眼台灯", "¥ 199.00", ("台灯会闪，换新还是维修？",)),
    ("Margaret Featherstonehaugh-Cholmondeley", "after_sale", "A-20467", "Desk lamp", "¥ 199.00", (
        "Hello, my parcel arrived with the shade broken and I would like to know how long a replacement takes, please.",
    )),
    ("一诺", "trade_done", "A-20287", "帆布托特包", "¥ 89.00", ("包的肩带可以单独买吗？",)),
)  # fmt: skip
WAITING = (
    ("思远", "after_sale", "A-20470", "手冲细口壶", "¥ 268.00", "退款三天了还没到账，麻烦看一下。"),
    ("若曦", "trade_done", "A-20255", "云南咖啡豆 250 克", "¥ 79.00", "豆子可以换成深烘的吗？"),
    ("俊熙", "after_sale", "A-20472", "白瓷茶杯四件套", "¥ 129.00", "想改成换货，还来得及吗？"),
)
SERVED_FIRST = 8
"""So many conversations the robots end before a busy picture is taken."""


@dataclass
class Stage:
    """What surfaces find."""

    shop: RunningShop
    office: Office
    database_url: str
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
        self.zhou.ends(self._asks("若溪", "A-20111", "发票开好了吗？"), "solved")
        self.shown = self._talks(browser)
        for name, state, order, title, amount, words in CALLERS:
            caller = self.calls(name, Order(order, state, title, amount), words[0])
            for more in words[1:]:
                shop.backstage.do(caller.says(more))
        self.lin = shop.colleague(seed.HUMAN)
        shop.backstage.do(self.lin.client.request("participant.join", conversation_id=self.shown))
        for name, state, order, title, amount, words in WAITING:
            self.calls(name, Order(order, state, title, amount), words)
        self.calls("可欣", Order("A-20251", "trade_done", "帆布托特包", "¥ 89.00"), "拉链坏了怎么办？")

    def _asks(self, name: str, order: str, text: str) -> Conversation:
        self.calls(name, Order(order, "trade_done", "护眼台灯", "¥ 199.00"), text)
        asked = self.zhou.gets(text)
        self.zhou.reads(asked)
        self.zhou.says(asked, "已经开好，稍后发到您的邮箱。")
        return asked

    def calls(self, name: str, order: Order, text: str) -> Caller:
        """A customer by this name, with this order."""
        person = Person(f"shop-{order.id.lower()}", name, orders=(order,))
        key = self.shop.seeded.identity
        caller = self.shop.backstage.do(Caller.asks(self.shop.b, key, person, text))
        self._stack.push_async_callback(caller.hangs_up)
        return caller

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
        zhou, window = self.zhou, Window.open(browser)
        visitor = Visitor(window).comes_to(self.shop.b).opens_the_chat()
        visitor.writes(ASKED)
        asked = zhou.gets(ASKED)
        visitor.sends(KETTLE)
        visitor.log.locator("img").first.wait_for()
        zhou.says(asked, "您好小雨，包裹昨天已经签收，仓库正在验货。")
        visitor.sees("仓库正在验货")
        visitor.writes("大概什么时候能退款？壶嘴这里本来就是歪的。")
        zhou.gets("壶嘴这里本来就是歪的")
        visitor.page.close()
        backstage, ask = self.shop.backstage, zhou.client.request
        about: dict[str, Any] = {"conversation_id": asked.conversation_id}
        question = next(
            each.message_id
            for each in zhou.client.logs[asked.conversation_id].messages
            if ASKED in getattr(each.body, "text", "")
        )
        lin = self.shop.seeded.accounts[seed.HUMAN.key]
        text = "@林小美 壶嘴歪斜是这批货的通病吗？验货时留意一下。"
        note = {"kind": "note", "text": text, "mentions": [lin]}
        quoting = {
            "kind": "text",
            "text": "验货通过后一个工作日内原路退回。",
            "quote": {"message_id": question},
        }
        backstage.do(ask("message.send", **about, client_message_id=new_id(), body=quoting))
        backstage.do(ask("note.send", **about, client_message_id=new_id(), body=note))
        for work in ("向仓库确认验货结果", "退款后回访"):
            backstage.do(ask("item.add", **about, item_id=new_id(), text=work))
        zhou.says(asked, "发错了一句")
        wrong = zhou.client.logs[asked.conversation_id].messages[-1].message_id
        backstage.do(ask("message.recall", **about, message_id=wrong))
        return asked.conversation_id

    async def _robots_begin(self) -> None:
        shop, phrases = self.shop, load_phrases("zh-CN")
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
def stage() -> Generator[Stage]:
    """Private servers, two nodes, the shops; everything back again at the end."""
    assert (WEB / "node_modules").exists(), "make web first"
    backstage = Backstage()
    with TemporaryDirectory(prefix="pm-screenshots-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        running = backstage.do(servers.start(state_dir=place / "servers"))
        try:
            backstage.do(migrate(running.database_url))
            shop = RunningShop.start(backstage, running.database_url, running.redis_url, place)
            there = Stage(shop, Office(shop), running.database_url)
            try:
                yield there
            finally:
                there.leaves()
                shop.stop()
        finally:
            backstage.do(running.aclose())
            backstage.close()
