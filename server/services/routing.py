"""A routing decision's way through the house: plan, claim, make durable, deliver (architecture, "two ways", 2).

Knows the rules and live state; knows no socket and no request. It promises that every decision of every verb
it carries out ends in the log exactly once and is pushed to those it concerns, by this process or, if it
dies, by a sweep.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ClientMessageId, ConversationId, ShopId
from protocol.states import Life
from router.model import Change, Decision, Done, Outcome, Plan, Request, Tried
from router.orders import Purchases, is_new_customer
from router.redis_link import LinkError
from router.rules import plan
from server.failpoints import armed, hit
from server.services.delivery import Delivery
from server.services.live import Live, Verb
from server.services.names import Names
from server.services.participants import Participants
from server.services.shops import Shops
from server.store.customers import Customers
from server.store.entry import digest
from server.store.log import Appended, Entry, Log
from server.store.rows import ConversationRow, CustomerRow

log = structlog.get_logger("routing")


class Routing:
    """Carries out routing verbs and makes their decisions durable and known."""

    def __init__(
        self,
        live: Live,
        shops: Shops,
        names: Names,
        customers: Customers,
        writer: Log,
        delivery: Delivery,
        participants: Participants,
        registry: CollectorRegistry,
    ) -> None:
        self._decided = Counter(
            "pointsman_decisions",
            "Changes of conversations, by what happened and why.",
            ("change", "reason"),
            registry=registry,
        )
        self._live = live
        self._shops = shops
        self._names = names
        self._customers = customers
        self._writer = writer
        self._delivery = delivery
        self._participants = participants

    # --- verbs -------------------------------------------------------------------------------------------------------
    async def do(self, shop: ShopId, verb: Verb) -> Done:
        """One verb, settled. Raises RequestError when it is refused."""
        done = await self._live.do(shop, verb)
        await self.follow(shop, done)
        return done

    async def attempt(self, shop: ShopId, verb: Verb) -> Outcome:
        """One verb, settled, with refusals as values."""
        outcome = await self._live.attempt(shop, verb)
        if isinstance(outcome, Done):
            await self.follow(shop, outcome)
        return outcome

    async def route(self, row: ConversationRow, customer: CustomerRow, *, via_bot: bool = False) -> None:
        """Choose who receives an open conversation that nobody was chosen for yet. Already routed: nothing happens."""
        planned = await self.plan_for(row, customer, via_bot=via_bot)
        rand = secrets.randbits(31)
        await self.attempt(
            row.shop_id,
            lambda engine, stamp: engine.claim(planned, op_id=stamp.op_id, day=stamp.day, rand=rand),
        )

    async def reroute(
        self, row: ConversationRow, customer: CustomerRow, takes_from: AccountId, *, via_bot: bool
    ) -> None:
        """Route a conversation in service anew: the bot hands over (KS-17), or its agent was away for too long (KS-18).

        Raises STALE_ASSIGNMENT when somebody else owns it by now.
        """
        planned = await self.plan_for(row, customer, via_bot=via_bot)
        rand = secrets.randbits(31)
        await self.do(
            row.shop_id,
            lambda engine, stamp: engine.claim(
                planned, op_id=stamp.op_id, day=stamp.day, rand=rand, takes_from=takes_from
            ),
        )

    async def foresee(self, shop: ShopId, plan: Plan) -> tuple[Tried, ...]:
        """What routing would try for a customer who came now, without claiming anything: the last is who takes them, or
        where they wait. Empty when live state is not there to ask. Raises UNAVAILABLE."""
        stamp, rand = await self._live.stamp(shop), secrets.randbits(31)
        return await self._live.ask(shop, lambda engine: engine.preview(plan, day=stamp.day, rand=rand))

    async def plan_for(self, row: ConversationRow, customer: CustomerRow, *, via_bot: bool) -> Plan:
        """The tiers for a conversation, from durable facts and the shop's settings."""
        facts = await self._shops.get(row.shop_id)
        contact = await self._customers.last_contact(row.shop_id, row.customer_id)
        now_ms = int(time.time() * 1000)
        request = Request(
            conversation=row.id,
            customer=row.customer_id,
            arrived_ms=row.arrived_ms,
            order_state=row.order_state,
            last_contact=contact,
            new_customer_priority=is_new_customer(
                Purchases(customer.first_paid_ms, customer.last_bought_ms), facts.policy, now_ms=now_ms
            ),
            via_bot=via_bot or row.via_bot,
            bot=facts.bot,
            epoch=row.assign_epoch,
            rev=row.live_rev,
        )
        return plan(request, facts.policy, now_ms=now_ms, groups_exist=facts.groups_exist)

    async def follow(self, shop: ShopId, done: Done) -> None:
        """Settle what a verb decided, and go on filling while it says that room is left over."""
        await self.settle(shop, done.decisions)
        while done.more:
            done = await self._live.do(
                shop, lambda engine, stamp: engine.fill(op_id=stamp.op_id, day=stamp.day)
            )
            await self.settle(shop, done.decisions)

    # --- making decisions durable and known --------------------------------------------------------------------------
    async def settle(self, shop: ShopId, decisions: Sequence[Decision]) -> int:
        """Append, deliver and confirm these decisions, and let stay who wants to. Idempotent. Returns how many were new
        to the log.

        What cannot be made durable now (database down) stays unconfirmed, and a sweep settles it.
        """
        if not decisions:
            return 0
        entries = [await self._entry(shop, decision) for decision in decisions]
        if armed:
            await hit("claim.before_commit")
        # appends are started in order: of one conversation the log keeps the order of the calls
        appends = [asyncio.ensure_future(self._writer.append(entry)) for entry in entries]
        results = await asyncio.gather(*appends, return_exceptions=True)
        settled: list[tuple[Decision, Entry, Appended]] = []
        for decision, entry, result in zip(decisions, entries, results, strict=True):
            if isinstance(result, RequestError):
                log.warning("decision_unsettled", conversation=decision.conversation, reason=result.reason)
            elif isinstance(result, BaseException):
                raise result
            else:
                settled.append((decision, entry, result))
        if armed:
            await hit("claim.before_confirm")
        await self._delivery.decided(shop, settled)
        confirmed = [
            (decision.conversation, decision.rev)
            for decision, _, _ in settled
            if await self._lets_stay(shop, decision)
        ]
        if confirmed:
            try:
                await self._live.engine(shop).confirm(confirmed)
            except LinkError as error:  # they stay unconfirmed, and a sweep settles them once more
                log.warning("decisions_unconfirmed", shop=shop, count=len(confirmed), error=str(error))
        for decision, _, result in settled:
            if decision.change is not Change.CLOSED and result.conversation.state is Life.CLOSED:
                await self._forget(shop, decision.conversation)
            if not result.duplicate:
                self._decided.labels(decision.change.value, decision.reason or "").inc()
                log.info(
                    "decision",
                    shop=shop,
                    conversation=decision.conversation,
                    change=decision.change.value,
                    owner=decision.owner,
                    reason=decision.reason and decision.reason.value,
                    pool=decision.pool,
                    epoch=decision.epoch,
                )
        return sum(not result.duplicate for _, _, result in settled)

    async def _lets_stay(self, shop: ShopId, decision: Decision) -> bool:
        """Whoever gave it away and stays takes part (CO-10), once however often this is asked. False: ask again."""
        former = decision.previous_owner
        if decision.stay is None or former is None:
            return True
        try:
            await self._participants.add(
                shop,
                decision.conversation,
                former,
                "collaborator",
                by=decision.by,
                reason=decision.stay,
                once=f"s:{decision.rev}",
            )
        except RequestError as error:  # it is given away all the same; they see that they are not in it
            log.warning("former_owner_left", conversation=decision.conversation, reason=error.reason)
            return error.code not in (ErrorCode.UNAVAILABLE, ErrorCode.COMMIT_UNKNOWN)
        return True

    async def _forget(self, shop: ShopId, conversation: ConversationId) -> None:
        """What is closed in the log lives no more, whatever was decided of it later by one who did not know: it would
        hold a slot for ever."""
        closed = await self._live.attempt(
            shop, lambda engine, stamp: engine.close(conversation, op_id=stamp.op_id, day=stamp.day)
        )
        if isinstance(closed, Done):
            log.warning("closed_already", shop=shop, conversation=conversation)
            await self.follow(shop, closed)

    async def _entry(self, shop: ShopId, decision: Decision) -> Entry:
        body = orjson.dumps(
            {
                "kind": "system",
                "event": decision.change.value,
                "data": await self._public_facts(shop, decision),
            }
        )
        return Entry(
            shop_id=shop,
            conversation_id=decision.conversation,
            sender_kind="system",
            sender_id=None,
            sender_name="",
            client_message_id=ClientMessageId(f"d:{decision.rev}"),
            body=body,
            body_hash=digest(body),
            decision=decision,
        )

    async def _public_facts(self, shop: ShopId, decision: Decision) -> dict[str, object]:
        """What both customer and staff may know of a decision; the reasons are for `conversation.explain`."""
        if decision.change in (Change.ASSIGNED, Change.REOPENED) and decision.owner is not None:
            owner = await self._names.party(shop, decision.owner)
            return {"owner": owner.model_dump(), "answers_later": decision.offline}
        if decision.change is Change.QUEUED:
            return {"place": decision.place}
        if decision.change is Change.ENDED:  # so long it may be taken back as if it had not been
            facts = await self._shops.get(shop)
            return {"undo_s": min(facts.endings.undo_s, facts.policy.wrap_up_s)}
        return {}
