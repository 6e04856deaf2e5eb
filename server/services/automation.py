"""Lets a shop's rules act: looks at a subject when something happened to it, or when time alone may have made a rule
hold, and carries out what the rules that hold say (CO-07, CO-11).

On the way of a message it costs one look into a dictionary, when the shop has no rule that listens to it; everything
else runs after the reply. It promises:
- a rule fires once for each subject (or once per cooldown) on however many nodes: its firing is claimed in the
  database;
- what was claimed is carried out, if need be by another node (`finish`), each action once;
- a rule never answers to what it caused itself, and chains of rules end.
"""

import asyncio
import contextvars
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import structlog

from protocol.errors import RequestError
from protocol.ids import ConversationId, CustomerId, ShopId
from router.model import Change, Decision
from server.automation.evaluate import explained, judge, may_fire, next_look
from server.automation.facts import Happening
from server.background import Background
from server.services.actors import ByRule
from server.services.rule_actions import Outcome, RuleActions
from server.services.rule_subjects import Looked, RuleSubjects
from server.services.rules import Compiled, Rules
from server.store.acting import acting
from server.store.customer_list import CustomerList
from server.store.log import Appended, Entry
from server.store.rows import ConversationRow, MessageRow
from server.store.rule_facts import LOOK
from server.store.rules import FiringRow
from server.store.rules import Rules as Store
from server.store.timers import Timer, Timers

log = structlog.get_logger("automation")

TRIES_MOST = 12
"""How often a firing is taken up, over about an hour and a half."""
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between tries to look, while what is needed for it is away."""
CHAIN_MOST = 4
"""Rules that answer to each other's effects, at most in a row; then only time and people make them look again."""

Link = tuple[str, str]
"""A rule that is acting, and on what."""
_CHAIN: contextvars.ContextVar[tuple[Link, ...]] = contextvars.ContextVar("pointsman_rules", default=())

_OF_CHANGE = {
    Change.QUEUED: Happening.QUEUED,
    Change.ASSIGNED: Happening.ASSIGNED,
    Change.REOPENED: Happening.ASSIGNED,
    Change.ENDED: Happening.ENDED,
}
"""After a close no rule applies."""


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a subject is to be looked at. `happening` None: it begins, or time went by."""

    happening: Happening | None = None
    chain: tuple[Link, ...] = ()
    said: str = ""


class Automation:
    """Hears what happens (a `Listener` of `Delivery`), and acts."""

    def __init__(
        self,
        rules: Rules,
        store: Store,
        subjects: RuleSubjects,
        timers: Timers,
        customers: CustomerList,
        actions: RuleActions,
        background: Background,
    ) -> None:
        self._rules = rules
        self._store = store
        self._subjects = subjects
        self._timers = timers
        self._customers = customers
        self._actions = actions
        self._background = background
        self._causes: dict[ConversationId, list[_Cause]] = {}
        """of the conversations that are being looked at, or will be at once: one after the other on this node"""

    # --- what happens ------------------------------------------------------------------------------------------------
    def appended(self, entry: Entry, done: Appended) -> None:
        """Somebody wrote, and the reply is on its way."""
        if entry.visibility != "public" or entry.sender_kind == "system":
            return
        if entry.sender_kind != "customer":
            self.happened(entry.shop_id, entry.conversation_id, Happening.ANSWERED)
        elif self._listens(entry.shop_id, Happening.WRITTEN):
            said = _text(orjson.loads(entry.body))
            self.happened(entry.shop_id, entry.conversation_id, Happening.WRITTEN, said)

    def redelivered(self, row: ConversationRow, message: MessageRow) -> None:
        """A message of which perhaps nobody heard, because the node that took it died."""
        if message.sender_kind == "customer":
            self.happened(row.shop_id, row.id, Happening.WRITTEN, _text(message.body or {}))

    def decided(self, row: ConversationRow, decision: Decision) -> None:
        """Live routing changed a conversation."""
        if decision.rev == 1:  # it begins: what was said before anybody was chosen counts from now on
            self.happened(row.shop_id, row.id, None)
        elif decision.change in _OF_CHANGE:
            self.happened(row.shop_id, row.id, _OF_CHANGE[decision.change])

    def roster(self, row: ConversationRow) -> None:
        """Who takes part changed."""
        self.happened(row.shop_id, row.id, Happening.ROSTER)

    def retagged(self, row: ConversationRow) -> None:
        """The tags of a conversation's customer changed."""
        self.happened(row.shop_id, row.id, Happening.TAGGED)

    async def customer_retagged(self, shop: ShopId, customer: CustomerId) -> None:
        """The shop's systems told a customer's tags."""
        if self._listens(shop, Happening.TAGGED):
            talk = await self._customers.open_conversation(shop, customer)
            if talk is not None:
                self.retagged(talk)

    def happened(
        self, shop: ShopId, conversation: ConversationId, happening: Happening | None, said: str = ""
    ) -> None:
        """Look at the conversation, if any rule listens to this; None: if there is any rule."""
        if not self._listens(shop, happening):
            return
        cause = _Cause(happening, _CHAIN.get(), said)
        waiting = self._causes.get(conversation)
        if waiting is not None:
            waiting.append(cause)
            return
        self._causes[conversation] = [cause]
        self._background.start(self._follow(shop, conversation), "rules")

    def _listens(self, shop: ShopId, happening: Happening | None) -> bool:
        """Whether some rule of the shop does; while nobody knows (for moments, once a second): perhaps."""
        kept = self._rules.kept(shop)
        return kept is None or (bool(kept.rules) if happening is None else happening in kept.heard)

    # --- what is due -------------------------------------------------------------------------------------------------
    async def look(self, timer: Timer) -> None:
        """Time alone may have made a rule hold for this conversation."""
        await self._look(timer.shop_id, ConversationId(timer.subject_id), [_Cause()])

    async def finish(self, timer: Timer) -> None:
        """A firing was begun, and nobody said that it is finished: its node died, or could not do it then. What fails
        `TRIES_MOST` times is left as it is, and its outcome says so."""
        firing = await self._store.unfinished(timer.shop_id, timer.subject_id)
        if firing is None:
            return
        log.info("firing_taken_up", rule=firing.rule_id, firing=firing.id, tries=timer.tries)
        if timer.tries > TRIES_MOST:
            left = firing.actions[len(firing.outcomes) :]
            failed: list[Outcome] = [{"kind": each["kind"], "outcome": "failed"} for each in left]
            await self._store.finish(firing, [*firing.outcomes, *failed])
            return
        await self._carry_out(firing, ())
        own = ((firing.rule_id, firing.subject_id),)
        await self._look(firing.shop_id, ConversationId(firing.subject_id), [_Cause(chain=own)])

    # --- looking -----------------------------------------------------------------------------------------------------
    async def _follow(self, shop: ShopId, conversation: ConversationId) -> None:
        try:
            while causes := self._causes[conversation]:
                self._causes[conversation] = []
                await self._look_patiently(shop, conversation, causes)
        finally:
            del self._causes[conversation]

    async def _look_patiently(
        self, shop: ShopId, conversation: ConversationId, causes: Sequence[_Cause]
    ) -> None:
        """Database or routing may be away for a moment; what happened is not to be forgotten because of that."""
        for pause_s in PAUSES_S:
            try:
                await self._look(shop, conversation, causes)
                return
            except RequestError as error:
                if not error.retryable:
                    raise
            await asyncio.sleep(pause_s)
        await self._look(shop, conversation, causes)

    async def _look(self, shop: ShopId, conversation: ConversationId, causes: Sequence[_Cause]) -> None:
        compiled = await self._rules.compiled(shop)
        causes = [cause for cause in causes if cause.happening is None or cause.happening in compiled.heard]
        if not compiled.rules or not causes:
            return
        chain = min((cause.chain for cause in causes), key=len)
        if len(chain) >= CHAIN_MOST:
            log.warning(
                "rules_in_a_chain", shop=shop, conversation=conversation, rules=[rule for rule, _ in chain]
            )
            return
        own = frozenset(causes[0].chain).intersection(*(cause.chain for cause in causes[1:]))
        said = [cause.said for cause in causes if cause.said]
        looked = await self._subjects.look(shop, conversation, compiled.asks, said)
        if looked is None or looked.is_unrouted:  # in a moment it is decided about, and looked at
            return
        for each in compiled.rules:
            fired = looked.fired(each.row.id)
            if (each.row.id, conversation) in own or not may_fire(each.rule, looked.facts, fired):
                continue
            judgement = judge(each.rule, looked.facts)
            if not judgement.holds:
                continue
            firing = await self._store.begin(
                each.row,
                conversation,
                times=fired.times,
                matched=[explained(finding) for finding in judgement.findings],
                given={"assign_epoch": looked.found.row.assign_epoch},
            )
            if firing is not None:
                await self._try(firing, chain)
            again = await self._subjects.look(shop, conversation, compiled.asks, said)
            if again is None:
                return
            looked = again
        await self._look_again(shop, conversation, compiled, looked)

    async def _look_again(
        self, shop: ShopId, conversation: ConversationId, compiled: Compiled, looked: Looked
    ) -> None:
        """Keep the one deadline of the conversation at the next instant at which time alone makes some rule hold."""
        instants = [
            instant
            for each in compiled.rules
            if (instant := next_look(each.rule, looked.facts, looked.fired(each.row.id))) is not None
        ]
        due_ms = min(instants, default=None)
        if due_ms == looked.found.look_ms:
            return
        if due_ms is None:
            await self._timers.cancel(LOOK, conversation)
        else:
            await self._timers.set(shop, LOOK, conversation, due_ms)

    # --- acting ------------------------------------------------------------------------------------------------------
    async def _try(self, firing: FiringRow, chain: tuple[Link, ...]) -> None:
        """Carry a firing out; what cannot be done now is left to `finish`."""
        try:
            await self._carry_out(firing, chain)
        except RequestError as error:
            if not error.retryable:
                raise
            log.warning("firing_unfinished", rule=firing.rule_id, firing=firing.id, reason=error.reason)

    async def _carry_out(self, firing: FiringRow, chain: tuple[Link, ...]) -> None:
        """Everything that was not done yet. Raises RequestError when something cannot be done now."""
        outcomes: list[Outcome] = [*firing.outcomes]
        with (
            _linked((*chain, (firing.rule_id, firing.subject_id))),
            acting(ByRule(firing.rule_id, firing.rule_name)),
        ):
            await self._actions.applied(firing)
            for number in range(len(outcomes), len(firing.actions)):
                outcomes.append(await self._actions.do(firing, number))
                if number + 1 < len(firing.actions):
                    await self._store.note(firing, outcomes)
            await self._store.finish(firing, outcomes)
        log.info(
            "rule_applied",
            shop=firing.shop_id,
            rule=firing.rule_id,
            subject=firing.subject_id,
            outcomes=[outcome["outcome"] for outcome in outcomes],
        )


@contextmanager
def _linked(chain: tuple[Link, ...]) -> Generator[None]:
    """What happens inside is caused by these rules."""
    before = _CHAIN.set(chain)
    try:
        yield
    finally:
        _CHAIN.reset(before)


def _text(body: dict[str, object]) -> str:
    """What people read of a body; cards and pictures have no words of the customer's own."""
    text = body.get("text")
    return text if isinstance(text, str) else ""
