"""A shop with one agent who has far too much in hand: 500 open conversations, 10,000 messages, and one long talk.

Everything came over the wire, as it does in service; nodes and private servers are the load test's.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from loadtest.front_desk import ORIGIN, Asker, Door, address
from loadtest.line import Line
from loadtest.pointsman_stand import PASSWORD, SETTINGS, SHOP, Shop
from loadtest.stage.servers import Servers

AT_ONCE = 8
UNDER_WAY = 64
WORDS = (
    "你好，我上周买的水壶到现在还没有发货，能帮我看一下吗？订单页面一直显示待处理。",
    "好的",
    "我想把收货地址改到公司，另外发票抬头也要改，抬头是上海某某贸易有限公司，税号稍后发给你。",
    "这款有没有小一号的？颜色最好是蓝色。",
    "退货的运费谁出？包装已经拆了，但是没有用过，配件都在，什么时候可以上门取件？",
)
SETTINGS_HERE = {**SETTINGS, "POINTSMAN_AGENT_MESSAGES_PER_S": "1000000", "POINTSMAN_AGENT_BURST": "1000000"}


@dataclass(slots=True)
class Talk:
    """One open conversation. `says`: what the customer asks over; they are named by their number."""

    id: str
    customer: Asker
    line: Line
    said: int = 1

    def newest(self) -> str:
        """Words that only its newest message has."""
        return f"#{self.said} {self.id}"


class FullShop:
    """Made by `opened`, filled by `fill`."""

    def __init__(self, shop: Shop, agent: Asker) -> None:
        self.shop = shop
        self.url = f"http://127.0.0.1:{shop.ports[0]}"
        self.email = shop.agents[0]
        self.talks: list[Talk] = []
        self._agent = agent
        self._ids = count(1)

    @classmethod
    async def opened(cls, stack: AsyncExitStack, folder: Path, capacity: int) -> FullShop:
        """Two nodes, one agent at work."""
        servers = await Servers.start(folder)
        stack.push_async_callback(servers.stop)
        shop = await Shop.open(servers, folder, agents=1, capacity=capacity, settings=SETTINGS_HERE)
        stack.push_async_callback(shop.close)
        pages = [f"http://127.0.0.1:{port}" for port in shop.ports]
        async with Door(shop.ports[0]) as door:
            for surface in ("widget", "desk"):
                path = f"/v1/settings/origins/{surface}"
                revs = (await door.ask("GET", "/v1/settings/origins", token=shop.owner_token))["revs"]
                body = {"origins": [ORIGIN, *pages], "rev": revs[surface]}
                await door.ask("PUT", path, body, token=shop.owner_token)
        async with Door(shop.ports[1]) as door:
            token = await door.sign_in(SHOP, shop.agents[0], PASSWORD)
            line, agent = await Asker.hello(door, await door.account_ticket(token), "desktop")
        stack.push_async_callback(line.close)
        await agent.ask("agent.set_status", {"status": "online"})
        full = cls(shop, agent)
        stack.push_async_callback(full.close)
        return full

    @property
    def password(self) -> str:
        return PASSWORD

    async def fill(self, talks: int, messages: int, longest: int) -> None:
        """So many conversations with so many messages in all, and `longest` more in the first of them."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def arrive(number: int) -> Talk:
            async with gate:
                return await self._arrive(number)

        self.talks = list(await asyncio.gather(*(arrive(number) for number in range(talks))))
        for _ in range(messages // talks - 1):
            await self._together([self.speak(talk) for talk in self.talks])
        for _ in range(longest // UNDER_WAY):
            await self._together([self.speak(self.talks[0]) for _ in range(UNDER_WAY)])

    async def speak(self, talk: Talk) -> None:
        """The next message of a talk: three of the customer's, then one of the agent's."""
        talk.said += 1
        text = f"{WORDS[talk.said % len(WORDS)]} {talk.newest()}"
        await self.say(talk, text, self._agent if talk.said % 4 == 0 else talk.customer)

    async def say(self, talk: Talk, text: str, who: Asker | None = None) -> None:
        """Somebody's words; the customer's if nobody else's. Returns with the acknowledgement."""
        body = {"kind": "text", "text": text}
        params: dict[str, Any] = {
            "conversation_id": talk.id,
            "client_message_id": f"t{next(self._ids)}",
            "body": body,
        }
        await (who or talk.customer).ask("message.send", params)
        self._agent.events.clear()

    async def _arrive(self, number: int) -> Talk:
        async with Door(self.shop.ports[1], address(number)) as door:
            line, customer = await Asker.hello(door, await door.visitor_ticket(SHOP))
        body = {"kind": "text", "text": f"{WORDS[0]} #1"}
        opened = await customer.ask(
            "conversation.open", {"message": {"client_message_id": "first", "body": body}}
        )
        if opened["conversation"]["state"] != "active":
            await customer.until("conversation.assigned")
        return Talk(str(opened["conversation"]["conversation_id"]), customer, line)

    async def close(self) -> None:
        """The customers leave."""
        for talk in self.talks:
            await talk.line.close()

    async def _together(self, works: list[Any]) -> None:
        for start in range(0, len(works), UNDER_WAY):
            await asyncio.gather(*works[start : start + UNDER_WAY])
