"""The demo's shop on two nodes, without its robots: the people are the tests'."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from protocol.client import Client, account_tickets
from protocol.ids import AccountId, ShopId
from protocol.shapes import Conversation, TextBody
from protocol.states import AgentStatus, Life
from router.link import link_to
from server.chat.door import Door
from server.demo import seed
from server.demo.nodes import NodeProcess
from server.embedded.ports import LOOPBACK
from server.services.sign_in_links import issue_link
from server.settings import DEMO_SECRET, Settings, load
from server.setup import Owner, Setup, ShopMade
from tests.browser.backstage import Backstage

PATIENCE_S = 45.0
WRAP_UP_S = 1
"""Long enough to be seen, short enough to wait for between two tests."""


class RunningShop:
    """Two nodes, and the shop "demo" on them. `a` and `b` are their addresses."""

    def __init__(self, backstage: Backstage, settings: Settings, folder: Path) -> None:
        self.backstage = backstage
        self._settings = settings
        self._folder = folder
        self._nodes = [self._spawned(name) for name in "ab"]
        self._redis_url = settings.redis_url.get_secret_value()
        self.a, self.b = (node.url for node in self._nodes)
        self.seeded = seed.Seeded()
        self._colleagues: list[Colleague] = []

    @classmethod
    def start(
        cls,
        backstage: Backstage,
        database_url: str,
        redis_url: str,
        folder: Path,
        *,
        language: str = "zh-CN",
        name: str = "一间小店",
    ) -> RunningShop:
        """Ready for people when this returns; they and what they made are called as in that language."""
        return backstage.do(cls._started(backstage, database_url, redis_url, folder, language, name))

    @classmethod
    async def _started(
        cls,
        backstage: Backstage,
        database_url: str,
        redis_url: str,
        folder: Path,
        language: str,
        name: str,
    ) -> RunningShop:
        settings = load(
            demo=True,
            secret=DEMO_SECRET,
            database_url=database_url,
            redis_url=redis_url,
            files=str(folder / "files"),
            sweep_s=0.2,
            queue_places_s=0.2,
            drain_wave_percent=100,
        )
        shop = cls(backstage, settings, folder)
        try:
            await asyncio.gather(*(node.ready() for node in shop._nodes))
            async with Setup(settings) as setup:
                owner = Owner(seed.OWNER.email, seed.OWNER.names[language[:2]], seed.PASSWORD)
                await setup.ensure_shop(slug=seed.SHOP, name=name, owner=owner)
            async with Door(shop.a) as door:
                shop.seeded = await seed.seed(
                    door,
                    language=language,
                    ports=shop.ports,
                    folder=folder,
                    bot=False,
                )
                await _wrap_up_within(door, WRAP_UP_S)
        except BaseException:
            await shop._stopped()
            raise
        return shop

    def stop(self) -> None:
        """Everybody leaves; the nodes end."""
        self.backstage.do(self._stopped())

    async def _stopped(self) -> None:
        for node in self._nodes:
            node.drain()
        await asyncio.gather(*(node.ended() for node in self._nodes))

    def _spawned(self, name: str) -> NodeProcess:
        return NodeProcess.spawn(self._settings, f"browser-{name}", 0, self._folder)

    @property
    def ports(self) -> list[int]:
        """Of the two nodes."""
        return [node.port for node in self._nodes]

    def another_node(self) -> NodeProcess:
        """One more node, ready, for a test that kills it. Whoever asked for it ends it."""
        node = self._spawned("spare")
        self.backstage.do(node.ready())
        return node

    def trusts(self, *addresses: str) -> None:
        """From now on pages of these origins may embed the widget and show the desk, and those of the two nodes."""
        self.backstage.do(self._trusted([*(f"http://{LOOPBACK}:{port}" for port in self.ports), *addresses]))

    async def _trusted(self, origins: list[str]) -> None:
        async with Door(self.a) as door:
            owner = await door.sign_in(seed.SHOP, seed.OWNER.email, seed.PASSWORD)
            for surface in ("widget", "desk"):
                path = f"/v1/settings/origins/{surface}"
                revs = (await door.ask("GET", "/v1/settings/origins", token=owner.access_token))["revs"]
                body = {"origins": origins, "rev": revs[surface]}
                await door.ask("PUT", path, body, token=owner.access_token)

    def link(self, person: seed.Person, page: str, *, node: str | None = None) -> str:
        """A fresh address that signs this person in, and leads them to a page of the desk."""
        return f"{node or self.a}/desk/link/{self.backstage.do(self._link(person))}?next={page}"

    async def _link(self, person: seed.Person) -> str:
        account = AccountId(self.seeded.accounts[person.key])
        return await self.link_of(ShopId(self.seeded.shop_id), account)

    async def link_of(self, shop: ShopId, account: AccountId) -> str:
        """What signs an account of any shop in, once."""
        redis = link_to(self._redis_url)
        await redis.open()
        try:
            return await issue_link(redis, shop, account)
        finally:
            await redis.close()

    async def found(self, slug: str, name: str) -> ShopMade:
        """Another shop on the same nodes, with nobody in it but its owner."""
        async with Setup(self._settings) as setup:
            owner = Owner("owner@office.example", "店主", seed.PASSWORD)
            return await setup.create_shop(slug=slug, name=name, owner=owner)

    def colleague(self, person: seed.Person) -> Colleague:
        """This person at work, without a browser. They leave with `everybody_leaves`."""
        colleague = Colleague(self.backstage, self.a, person)
        self._colleagues.append(colleague)
        return colleague

    def everybody_leaves(self) -> None:
        """Between two tests: no open conversation, nobody at work."""
        self.backstage.do(self._emptied())

    async def _emptied(self) -> None:
        admin = Colleague(self.backstage, self.a, seed.ADMIN, at_work=False)
        await admin.arrive()
        try:
            deadline = time.monotonic() + PATIENCE_S
            while left := await admin.open_conversations():
                for conversation in left:
                    if conversation.state is not Life.WRAP_UP:
                        await admin.close(conversation)
                assert time.monotonic() < deadline, f"conversations stay open: {left}"
                await asyncio.sleep(0.1)
            await admin.send_everybody_home()
        finally:
            await admin.leave()
        for colleague in self._colleagues:
            await colleague.leave()
        self._colleagues.clear()


class Colleague:
    """Somebody of the shop at a client without a browser."""

    def __init__(self, backstage: Backstage, url: str, person: seed.Person, *, at_work: bool = True) -> None:
        self._backstage = backstage
        self._http: httpx.AsyncClient
        self._url = url
        self._person = person
        self.client: Client
        if at_work:
            backstage.do(self._start())

    async def _start(self) -> None:
        await self.arrive()
        await self.client.request("agent.set_status", status="online")

    async def arrive(self) -> None:
        self._http = httpx.AsyncClient(
            base_url=self._url, headers={"Origin": self._url}, trust_env=False, timeout=10
        )
        tickets = account_tickets(self._http, seed.SHOP, self._person.email, seed.PASSWORD)
        url = self._url.replace("http", "ws") + "/ws"
        self.client = Client(
            url, tickets, name="colleague", device="web", origin=self._url, keep_messages=True
        )
        await self.client.start()

    async def leave(self) -> None:
        await self.client.close(sign_out=True)
        await self._http.aclose()

    async def open_conversations(self) -> list[Conversation]:
        """All of the shop's that are not closed."""
        page: Any = await self.client.request("conversation.list", scope="all", limit=200)
        return [each for each in page.conversations if each.state is not Life.CLOSED]

    async def send_everybody_home(self) -> None:
        """Who closed their browser is at work for another while, and would be given customers."""
        page: Any = await self.client.request("agent.list")
        for card in page.agents:
            if card.status is not AgentStatus.OFFLINE:
                await self.client.request(
                    "agent.set_status",
                    account_id=card.account_id,
                    status="offline",
                    open_conversations="keep",
                )

    async def close(self, conversation: Conversation) -> None:
        """End what somebody left open."""
        params: dict[str, Any] = {"conversation_id": conversation.conversation_id}
        if conversation.owner is None:
            me = self.client.view.me
            assert me is not None
            await self.client.request("conversation.assign", **params, account_id=me.person.id)
        await self.client.request("conversation.end", **params)

    def gets(self, text: str) -> Conversation:
        """Wait for these words in a conversation of theirs; that conversation."""
        return self._backstage.do(self._gets(text))

    async def _gets(self, text: str) -> Conversation:
        def found() -> Conversation | None:
            for conversation_id, log in self.client.logs.items():
                if any(text in getattr(message.body, "text", "") for message in log.messages):
                    return self.client.view.conversations.get(conversation_id)
            return None

        return await _until(found, f"{text!r} at {self._person.key}")

    def sees_closed(self, conversation: Conversation) -> None:
        """Wait for the end of its wrap-up."""
        self._backstage.do(self._sees_closed(conversation.conversation_id))

    async def _sees_closed(self, conversation_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found: Any = await self.client.request("conversation.get", conversation_id=conversation_id)
            if found.conversation.state is Life.CLOSED:
                return
            assert time.monotonic() < deadline, f"{conversation_id} did not close within {PATIENCE_S} s"
            await asyncio.sleep(0.1)

    def says(self, conversation: Conversation, text: str) -> None:
        self._backstage.do(self.client.send(conversation.conversation_id, text))

    def heard(self, conversation: Conversation) -> list[str]:
        """What customer and staff have said in it so far, in its order."""
        log = self.client.logs[conversation.conversation_id]
        bodies = [message.body for message in log.messages]
        return [body.text for body in bodies if isinstance(body, TextBody)]

    def reads(self, conversation: Conversation) -> None:
        """All that was said so far."""
        seq = self.client.logs[conversation.conversation_id].messages[-1].seq
        self._ask("read.mark", conversation, seq=seq)

    def assigns(self, conversation: Conversation, to: Colleague) -> None:
        """As somebody who manages."""
        me = to.client.view.me
        assert me is not None
        self._ask("conversation.assign", conversation, account_id=me.person.id)

    def transfers(self, conversation: Conversation, to: Colleague) -> None:
        me = to.client.view.me
        assert me is not None
        self._ask("conversation.transfer", conversation, account_id=me.person.id)

    def _ask(self, method: str, conversation: Conversation, **more: Any) -> None:
        ask = self.client.request(method, conversation_id=conversation.conversation_id, **more)
        self._backstage.do(ask)

    def types(self, conversation: Conversation) -> None:
        self._backstage.do(self.client.typing(conversation.conversation_id))

    def ends(self, conversation: Conversation, *tags: str) -> None:
        """With these result tags."""
        named = conversation.conversation_id
        self._backstage.do(
            self.client.request("conversation.end", conversation_id=named, result_tags=[*tags])
        )


async def _until(found: Callable[[], Conversation | None], what: str) -> Conversation:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        value = found()
        if value is not None:
            return value
        assert time.monotonic() < deadline, f"{what} did not come within {PATIENCE_S} s"
        await asyncio.sleep(0.02)


async def _wrap_up_within(door: Door, seconds: int) -> None:
    owner = await door.sign_in(seed.SHOP, seed.OWNER.email, seed.PASSWORD)
    current = await door.ask("GET", "/v1/settings/routing", token=owner.access_token)
    policy = {**current["policy"], "wrap_up_s": seconds}
    body = {"rev": current["rev"], "policy": policy, "note": ""}
    await door.ask("PUT", "/v1/settings/routing", body, token=owner.access_token)
