"""A whole Pointsman for a scenario: real nodes, real sockets, real PostgreSQL and Redis, and people who talk.

Nodes run in this process (`House.start(nodes=2)`), each with its own App, port and connections to the
servers; people are `protocol.client` sessions on alternating nodes. Shops are made straight in the store:
signing in has its own tests.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvicorn

from protocol.client import Client
from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, CustomerId, GroupId, PersonId, ShopId, new_id
from protocol.rights import REACH_OF, Right
from protocol.shapes import Conversation, Message
from protocol.states import OrderState, Role
from router.policy import Policy
from server.app import App
from server.gateway.direct import direct_ws
from server.gateway.guard import guarded_http
from server.serve import Server, listen
from server.services.callers import Caller
from server.services.ending_settings import EndingSettings
from server.services.revisions import revision_of
from server.services.tokens import Principal
from server.settings import load
from server.store.accounts import AccountRow
from server.store.rows import CustomerRow

PATIENCE_S = 15.0
"""How long a scenario waits for what should come at once; generous, for busy machines."""
T = TypeVar("T")


async def until(
    holds: Callable[[], Awaitable[T | None]] | Callable[[], T | None],
    *,
    what: str = "it",
    within_s: float = PATIENCE_S,
) -> T:
    """Wait for a condition; its value when it is truthy. AssertionError with the last value when it never was."""
    deadline = time.monotonic() + within_s
    while True:
        value: Any = holds()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {within_s} s; last: {value!r}"
        await asyncio.sleep(0.02)


class Node:
    """One node of the house, in this process."""

    def __init__(self, app: App, server: Server, serving: "asyncio.Task[None]", url: str) -> None:
        self.app = app
        self._server = server
        self._serving = serving
        self.url = url

    @classmethod
    async def start(
        cls,
        name: str,
        database_url: str,
        redis_url: str,
        *,
        now: Callable[[], float] = time.time,
        **settings: Any,
    ) -> "Node":
        """A node that serves when this returns. `now`: the clock that working hours go by."""
        app = App(
            load(
                database_url=database_url,
                redis_url=redis_url,
                secret="a secret for scenarios that is long enough",
                demo=True,
                node=name,
                **{"sweep_s": 0.1, "unconfirmed_s": 1.0, "queue_places_s": 0.2, **settings},
            ),
            now=now,
        )
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            app.web,
            http=guarded_http(app.limits),
            ws=direct_ws(app.limits),
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = Server(config)
        await app.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started, what="the node's listening")
        return cls(app, server, serving, f"http://127.0.0.1:{listener.getsockname()[1]}")

    async def stop(self) -> None:
        """An orderly end, without the drain's waves."""
        self.app.gateway.stop_accepting()
        self._server.should_exit = True
        await self.app.gateway.stop(1.0)
        await self._serving
        await self.app.stop()


class House:
    """Nodes, and the shops on them."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self._turn = itertools.cycle(nodes)
        self.people: list[Person] = []

    @classmethod
    async def start(cls, database_url: str, redis_url: str, *, nodes: int = 1, **settings: Any) -> "House":
        """A house with that many nodes."""
        return cls([await Node.start(f"n{i + 1}", database_url, redis_url, **settings) for i in range(nodes)])

    def next_node(self) -> Node:
        """The nodes in turn, so that people who talk to each other sit on different ones."""
        return next(self._turn)

    @property
    def app(self) -> App:
        """Any node's parts, for making and looking at durable things."""
        return self.nodes[0].app

    async def shop(self, **policy: Any) -> "Shop":
        """A shop with these routing settings, without accounts."""
        row = await self.app.shop_store.add(
            slug=f"s{new_id()[-12:]}",
            name="Shop",
            policy=Policy.parse({"timezone": "UTC", **policy}).model_dump(mode="json"),
        )
        for node in self.nodes:
            node.app.shops.forget(row.id)  # a node hears of new shops within seconds: too late for a scenario
        return Shop(self, row.id)

    async def stop(self) -> None:
        """Everybody leaves, every node stops."""
        await asyncio.gather(*(person.client.close() for person in self.people), return_exceptions=True)
        for node in self.nodes:
            await node.stop()


class Person:
    """Somebody at a socket. `conversations` is what their client knows."""

    def __init__(self, shop: "Shop", id: PersonId, name: str, principal: Principal) -> None:
        self.shop = shop
        self.id = id
        self.name = name
        self.principal = principal
        self.may_come = asyncio.Event()
        """while it is cleared, a connection that broke does not come back"""
        self.may_come.set()
        self.client: Client
        self.node: Node

    async def arrive(
        self, node: Node | None = None, *, device: Any = "web", whole_logs: bool = True
    ) -> "Person":
        """Connect (to the next node), and be live."""
        self.node = node or self.shop.house.next_node()
        self.client = Client(
            self.node.url.replace("http", "ws") + "/ws",
            self.ticket,
            name=self.name,
            device=device,
            origin=self.node.url,
            whole_logs=whole_logs,
            keep_messages=True,
        )
        self.shop.house.people.append(self)
        await self.client.start()
        return self

    async def ticket(self) -> str:
        """A fresh ticket for the node that this person uses."""
        await self.may_come.wait()
        return (await self.node.app.authentication.ticket_of(self.principal, self.node.url)).ticket

    async def leave(self, *, sign_out: bool = False) -> None:
        """Close the connection."""
        await self.client.close(sign_out=sign_out)

    async def asks(self, method: str, **params: Any) -> Any:
        """A request; its result, or the RequestError raised."""
        return await self.client.request(method, **params)

    async def refused(self, method: str, **params: Any) -> RequestError:
        """A request that must be refused."""
        try:
            answer = await self.client.request(method, **params)
        except RequestError as error:
            return error
        raise AssertionError(f"{method} was not refused: {answer}")

    async def says(self, conversation: str, text: str, **more: Any) -> Any:
        """A message; the reply."""
        return await self.client.send(conversation, text, **more)

    def knows(self, conversation: str) -> Conversation | None:
        """The conversation as this client has it."""
        return self.client.view.conversations.get(conversation)

    def has(self, conversation: str) -> Conversation:
        """The same, where it must be there."""
        known = self.knows(conversation)
        assert known is not None, f"{self.name} does not have {conversation}"
        return known

    async def sees(self, conversation: str, **facts: Any) -> Conversation:
        """Wait until this client's view of a conversation has these members (`owner`: an id, or None)."""

        def holds() -> Conversation | None:
            known = self.knows(conversation)
            if known is None:
                return None
            for name, wanted in facts.items():
                found = getattr(known, name)
                if name == "owner":
                    found = None if found is None else found.id
                if found != wanted:
                    return None
            return known

        return await until(
            holds, what=f"{self.name} seeing {facts} on {conversation}; has {self.knows(conversation)}"
        )

    async def reads(self, conversation: str, text: str) -> Message:
        """Wait until a message with this text is in this client's log."""

        def holds() -> Message | None:
            log = self.client.logs.get(conversation)
            for message in [] if log is None else log.messages:
                if message.body is not None and getattr(message.body, "text", None) == text:
                    return message
            return None

        return await until(holds, what=f"{self.name} reading {text!r}")


class Customer(Person):
    """Somebody with a question."""

    async def opens(self, text: str = "hello", **params: Any) -> str:
        """Ask for service with a first message; the conversation's id."""
        first = {"client_message_id": new_id(), "body": {"kind": "text", "text": text}}
        result = await self.asks("conversation.open", message=first, **params)
        return result.conversation.conversation_id

    async def opened(self, text: str = "hello", **params: Any) -> Conversation:
        """The same; the conversation as it then is."""
        conversation = await self.opens(text, **params)
        return (await self.asks("conversation.get", conversation_id=conversation)).conversation

    async def reaches(self, text: str = "hello", **params: Any) -> str | None:
        """Ask for service; the name of whoever has the conversation at once, None when it waits."""
        owner = (await self.opened(text, **params)).owner
        return None if owner is None else owner.name

    async def waits(self, text: str = "hello", **params: Any) -> tuple[str, int, str]:
        """Ask for service and have to wait: pool, place, and why, as the customer is told."""
        queue = (await self.opened(text, **params)).queue
        assert queue is not None, f"{self.name} need not wait"
        return queue.pool, queue.place, queue.reason

    async def service(self) -> Conversation:
        """The open conversation as it is now."""
        open_now = self.client.view.snapshot()
        assert len(open_now) == 1, f"{self.name} has {len(open_now)} open conversations"
        asked = await self.asks("conversation.get", conversation_id=open_now[0].conversation_id)
        return asked.conversation


class Agent(Person):
    """Somebody who serves."""

    async def sets(self, status: str, **more: Any) -> Any:
        """Change the own status."""
        return (await self.asks("agent.set_status", status=status, **more)).agent

    async def mine(self) -> list[Conversation]:
        """What this agent has in hand."""
        return (await self.asks("conversation.list", scope="mine")).conversations

    async def card(self) -> Any:
        """This agent's own card, with load and availability."""
        return (await self.asks("agent.slots")).agent

    async def explains(self, conversation: str) -> list[tuple[str, str]]:
        """The last decision about a conversation that says what was tried: each tier and how it ended."""
        decisions = (await self.asks("conversation.explain", conversation_id=conversation)).decisions
        tried = [decision.tried for decision in decisions if decision.tried]
        return [(each.tier, each.outcome) for each in tried[-1]]


@dataclass
class Shop:
    """One tenant. People are made durable and, unless told otherwise, arrive at once; agents are then online."""

    house: House
    id: ShopId
    groups: dict[str, GroupId] = field(default_factory=dict)
    _names: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def app(self) -> App:
        """Any node's parts."""
        return self.house.app

    def caller(self, account: AccountId | None = None) -> Caller:
        """The owner of the shop as HTTP would have it."""
        return Caller(self.id, "owner", account, frozenset({Role.OWNER}))

    async def group(self, name: str) -> GroupId:
        """A group; its id."""
        row = await self.app.group_store.add(self.id, name=name, kind="product_line")
        self.groups[name] = row.id
        await self.app.changes.policy_changed(self.id)
        await self.known_everywhere()
        return row.id

    async def grouped(self, bound: dict[str, str | tuple[str, ...]], **policy: Any) -> None:
        """Switch to grouped mode: order state -> the names of its groups, which are made when they are new."""
        names = {state: (of,) if isinstance(of, str) else of for state, of in bound.items()}
        for name in dict.fromkeys(name for of in names.values() for name in of):
            if name not in self.groups:
                await self.group(name)
        bindings = {state: [self.groups[name] for name in of] for state, of in names.items()}
        await self.set_policy(**{"mode": "grouped", "order_state_groups": bindings, **policy})

    async def known_everywhere(self) -> None:
        """Wait until every node goes by the settings that hold now (each may remember older ones for a second)."""
        row = await self.app.shop_store.get(self.id)
        holds = Policy.parse(row.policy)
        groups_exist = bool(await self.app.group_store.of_shop(self.id))
        for node in self.house.nodes:

            async def knows(node: Node = node) -> bool:
                facts = await node.app.shops.get(self.id)
                return (facts.policy, facts.groups_exist) == (holds, groups_exist)

            await until(knows, what="a node's knowing the settings")

    async def set_policy(self, **changes: Any) -> None:
        """Change routing settings as the settings page would."""
        current = await self.app.policies.current(self.id)
        data = {**current.policy.model_dump(mode="json"), **changes}
        await self.app.policies.update(self.caller(), data, rev=current.rev, note="")
        await self.known_everywhere()

    async def endings(self, **settings: Any) -> None:
        """Set how conversations end, as the settings page would."""
        said = EndingSettings.model_validate(settings)
        rev = revision_of(await self.app.endings.current(self.id))
        await self.app.endings.replace(self.caller(), said, rev=rev)
        for node in self.house.nodes:

            async def knows(node: Node = node) -> bool:
                return (await node.app.shops.get(self.id)).endings == said

            await until(knows, what="a node's knowing how conversations end")

    async def role(self, role: str, **grants: str) -> str:
        """A role of the shop's own, or another content of a built-in one, as it was just made; rights with `_` for `.`.
        Its name."""
        held = {right.value: right for right in Right}
        reaches = {held[name.replace("_", ".", 1)]: REACH_OF[word] for name, word in grants.items()}
        before = await self.app.role_store.get(self.id, role)
        await self.app.role_store.put(
            self.id, role, name="", grants=reaches, expected_rev=0 if before is None else before.rev
        )
        for node in self.house.nodes:
            node.app.scope.forget(self.id)
        return role

    async def refusals(self) -> list[tuple[str, str, str]]:
        """What the audit has of refused tries, in order: who, what, why."""
        rows = await self.app.db.fetch(
            "SELECT * FROM audit WHERE shop_id = $1 AND outcome = 'refused' ORDER BY at, id", self.id
        )
        return [(row["actor_name"], row["action"], row["reason"]) for row in rows]

    async def account(self, name: str, *roles: str, groups: tuple[str, ...] = (), **more: Any) -> AccountRow:
        """An account; groups by name."""
        row = await self.app.account_store.add(
            self.id,
            email=f"{name.lower()}{next(self._names)}@example.com",
            name=name,
            password_hash="!",
            roles=frozenset(roles),
            **more,
        )
        for group in groups:
            await self.app.group_store.add_member(self.id, self.groups[group], row.id)
        await self.app.changes.profile_changed(self.id, row.id)
        return row

    async def person(
        self, row: AccountRow, *, node: Node | None = None, device: str = "web", arrive: bool = True
    ) -> Agent:
        """The person behind an account."""
        principal = Principal(
            self.id,
            PersonId(row.id),
            "bot" if Role.BOT in row.roles else "account",
            row.roles,
            row.name,
            int(time.time() * 1000) + 3_600_000,
            row.token_version,
        )
        agent = Agent(self, PersonId(row.id), row.name, principal)
        if arrive:
            await agent.arrive(node, device=device)
        return agent

    async def agent(
        self,
        name: str,
        *,
        status: str = "online",
        capacity: int = 5,
        groups: tuple[str, ...] = (),
        roles: tuple[str, ...] = (Role.AGENT,),
        node: Node | None = None,
        device: str = "web",
        **more: Any,
    ) -> Agent:
        """An agent at work."""
        row = await self.account(name, *roles, groups=groups, capacity=capacity, **more)
        agent = await self.person(row, node=node, device=device)
        if status != "offline":
            await agent.sets(status)
        return agent

    async def customer(
        self,
        name: str,
        *,
        order_state: OrderState | str | None = None,
        node: Node | None = None,
        **facts: Any,
    ) -> Customer:
        """A known customer at the widget, with one order in that state."""
        row: CustomerRow = await self.app.customer_store.put(self.id, new_id(), name=name, **facts)
        if order_state is not None:
            await self.app.order_store.put(
                self.id,
                f"o-{row.id}",
                customer_id=row.id,
                state=OrderState(order_state),
                changed_ms=int(time.time() * 1000),
            )
        principal = Principal(
            self.id,
            PersonId(row.id),
            "customer",
            frozenset({Role.CUSTOMER}),
            name,
            int(time.time() * 1000) + 3_600_000,
        )
        customer = Customer(self, PersonId(row.id), name, principal)
        await customer.arrive(node)
        return customer

    async def served_before(self, customer: Customer, agent: Agent, *, hours_ago: float = 1) -> None:
        """Make it so that the agent answered this customer that long ago, in a conversation closed since."""
        opened = await self.app.conversations.open(
            self.id, CustomerId(customer.id), ConversationId(new_id()), order_state="no_active_order"
        )
        await self.app.db.execute(
            "UPDATE conversations SET state = 'closed', closed_at = $3, last_agent_id = $2,"
            " last_contact_at = $3, live_rev = 1"
            " WHERE id = $1",
            opened.conversation.id,
            agent.id,
            int((time.time() - hours_ago * 3600) * 1000),
        )

    async def change(self, agent: Person, **facts: Any) -> None:
        """Change an account as the accounts page would: `excluded`, `capacity`, `pause_mode`, `roles`."""
        await self.app.account_store.update(self.id, AccountId(agent.id), facts)
        await self.app.changes.profile_changed(self.id, AccountId(agent.id))

    async def loads(self) -> dict[str, int]:
        """Name -> load of every agent, live."""
        cards = (await self.app.agents.everybody(self.id)).agents
        return {card.name: card.load for card in cards}

    async def invariants(self) -> dict[str, int]:
        """Violations on live data."""
        return await self.app.live_reads.invariants(self.id)
