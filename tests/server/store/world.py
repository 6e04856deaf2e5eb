"""A small shop and its people, in few words."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from protocol.codes import Reason
from protocol.ids import AccountId, ClientMessageId, ConversationId, CustomerId, PersonId, ShopId, new_id
from protocol.states import Role
from router.model import Change, Decision, Tried
from server.store.accounts import Accounts
from server.store.conversations import Conversations
from server.store.customers import Customers
from server.store.database import Database
from server.store.entry import Appended, Entry
from server.store.log import Log
from server.store.rows import ConversationRow, Visibility
from server.store.shops import Shops

NUMBERS = count(1)


def text(words: str) -> bytes:
    return orjson.dumps({"kind": "text", "text": words})


def digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:16]


@dataclass
class World:
    """One shop. `ann` and `bob` are agents, `robo` is its bot, `cara` a customer with an open conversation, `talk`."""

    db: Database
    shop: ShopId
    ann: AccountId
    bob: AccountId
    robo: AccountId
    cara: CustomerId
    talk: ConversationId

    @classmethod
    async def make(cls, db: Database) -> World:
        number = next(NUMBERS)
        shop = (
            await Shops(db).add(slug=f"shop-{number}-{new_id()[-6:]}", name="Shop", policy={"rule": 1})
        ).id
        world = cls(db, shop, AccountId(""), AccountId(""), AccountId(""), CustomerId(""), ConversationId(""))
        world.ann = await world.account("ann", Role.AGENT)
        world.bob = await world.account("bob", Role.AGENT)
        world.robo = await world.account("robo", Role.BOT)
        world.cara = await world.customer()
        world.talk = (await world.open(world.cara)).id
        return world

    async def account(self, name: str, *roles: Role) -> AccountId:
        row = await Accounts(self.db).add(
            self.shop, email=f"{name}@example.com", name=name, password_hash="x", roles=frozenset(roles)
        )
        return row.id

    async def customer(self) -> CustomerId:
        return (await Customers(self.db).add_anonymous(self.shop)).id

    async def open(self, customer: CustomerId, **options: Any) -> ConversationRow:
        options.setdefault("order_state", "no_active_order")
        opened = await Conversations(self.db).open(self.shop, customer, ConversationId(new_id()), **options)
        return opened.conversation

    async def now(self) -> ConversationRow:
        """The conversation `talk` as it is in the database."""
        return await Conversations(self.db).get(self.shop, self.talk)

    def entry(
        self,
        words: str = "hello",
        *,
        by: AccountId | CustomerId | None = None,
        to: ConversationId | None = None,
        once: str | None = None,
        visibility: Visibility = "public",
        **others: Any,
    ) -> Entry:
        """A message: of the customer `cara` unless `by` is somebody else."""
        sender = by or self.cara
        kind = "agent" if sender in (self.ann, self.bob) else "bot" if sender == self.robo else "customer"
        body = text(words)
        return Entry(
            shop_id=others.pop("shop", self.shop),
            conversation_id=to or self.talk,
            sender_kind=others.pop("kind", kind),
            sender_id=PersonId(sender),
            sender_name=others.pop("name", "somebody"),
            client_message_id=ClientMessageId(once or new_id()),
            body=others.pop("body", body),
            body_hash=others.pop("hash", digest(body)),
            visibility=visibility,
            **others,
        )

    def decision(self, rev: int, change: Change, owner: AccountId | None = None, **facts: Any) -> Decision:
        facts.setdefault("at_ms", 1_795_000_000_000 + rev * 1000)
        facts.setdefault("reason", Reason.ANY_ONLINE)
        facts.setdefault("tried", (Tried(Reason.ANY_ONLINE, Reason.TAKEN, agent=owner),))
        facts.setdefault("conversation", self.talk)
        return Decision(rev=rev, epoch=facts.pop("epoch", rev), change=change, owner=owner, **facts)

    def decided(self, decision: Decision) -> Entry:
        body = orjson.dumps({"kind": "system", "event": decision.change, "data": {}})
        return Entry(
            shop_id=self.shop,
            conversation_id=decision.conversation,
            sender_kind="system",
            sender_id=None,
            sender_name="",
            client_message_id=ClientMessageId(f"d:{decision.rev}"),
            body=body,
            body_hash=digest(body),
            decision=decision,
        )

    async def assign(self, log: Log, to: AccountId, rev: int = 1, **facts: Any) -> Appended:
        return await log.append(self.decided(self.decision(rev, Change.ASSIGNED, to, **facts)))

    async def close(self, log: Log, rev: int = 9) -> Appended:
        return await log.append(self.decided(self.decision(rev, Change.CLOSED)))

    async def seqs(self, conversation: ConversationId) -> list[tuple[int, int | None]]:
        """(seq, customer_seq) of everything in a log, in order."""
        rows = await self.db.fetch(
            "SELECT seq, customer_seq FROM messages WHERE conversation_id = $1 ORDER BY seq", conversation
        )
        return [(row["seq"], row["customer_seq"]) for row in rows]


def now_ms() -> int:
    return int(time.time() * 1000)
