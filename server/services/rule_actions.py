"""Does what rules say, through the services that people use too. Doing an action twice does it once.

What cannot be done is no failure of the rule: its outcome says why, and the next action follows. What cannot be done
now (database or routing away) is raised, and done later by whoever finishes the firing.
"""

import hashlib
from typing import Any

import orjson
from pydantic import TypeAdapter

from protocol.errors import RequestError
from protocol.events import Notice
from protocol.ids import AccountId, ClientMessageId, ConversationId, GroupId, PersonId
from protocol.states import Life
from protocol.times import text_of_ms
from router.model import NORMAL, PRIORITY, Done, Refusal
from server.automation.actions import Action, Add, HandOn, Invite, Note, Notify, SetPriority, Tag
from server.bus import Bus
from server.push import push
from server.services.customer_news import CustomerNews
from server.services.delivery import Delivery
from server.services.handing_over import Giving, HandingOver
from server.services.live import refused
from server.services.participants import Participants
from server.services.routing import Routing
from server.store.accounts import Accounts
from server.store.conversations import Conversations
from server.store.customer_list import CustomerList
from server.store.groups import Groups
from server.store.log import Entry, Log
from server.store.rows import ConversationRow
from server.store.rules import FiringRow

_CLASS = {"priority": PRIORITY, "normal": NORMAL}
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)

Outcome = dict[str, Any]
"""`kind` of the action, `outcome` (`done`, `nothing`: it was so already, `refused`), and why or what."""


class RuleActions:
    """One method per kind of action."""

    def __init__(
        self,
        conversations: Conversations,
        accounts: Accounts,
        groups: Groups,
        customers: CustomerList,
        news: CustomerNews,
        participants: Participants,
        handing_over: HandingOver,
        routing: Routing,
        writer: Log,
        delivery: Delivery,
        bus: Bus,
    ) -> None:
        self._conversations = conversations
        self._accounts = accounts
        self._groups = groups
        self._customers = customers
        self._news = news
        self._participants = participants
        self._handing_over = handing_over
        self._routing = routing
        self._writer = writer
        self._delivery = delivery
        self._bus = bus

    async def applied(self, firing: FiringRow) -> None:
        """Tell the colleagues in the conversation's log that the rule held, and why."""
        data = {"rule_id": firing.rule_id, "name": firing.rule_name, "matched": firing.matched}
        body = {"kind": "system", "event": "rule_applied", "data": data}
        await self._append(firing, f"rule:{firing.id}", "", body)

    async def do(self, firing: FiringRow, number: int) -> Outcome:
        """One action of a firing. Raises RequestError only when it may be tried again."""
        action = _ACTION.validate_python(firing.actions[number])
        try:
            row = await self._conversations.get(firing.shop_id, ConversationId(firing.subject_id))
            return {"kind": action.kind, **await self._do(firing, row, action, f"rule:{firing.id}:{number}")}
        except RequestError as error:
            if error.retryable:
                raise
            return {"kind": action.kind, "outcome": "refused", "reason": error.reason}

    async def _do(self, firing: FiringRow, row: ConversationRow, action: Action, once: str) -> Outcome:
        match action:
            case Invite():
                return await self._invite(firing, row, action, once)
            case Add():
                return await self._add(firing, row, action, once)
            case SetPriority():
                return await self._set_priority(row, action)
            case Notify():
                return await self._notify(firing, row, action)
            case HandOn():
                return await self._hand_on(firing, row, action)
            case Note():
                body: dict[str, Any] = {"kind": "note", "text": action.text, "mentions": [], "whisper": False}
                await self._append(firing, once, firing.rule_name, body)
                return {"outcome": "done"}
            case Tag():
                return await self._tag(row, action)

    # --- people ------------------------------------------------------------------------------------------------------
    async def _invite(self, firing: FiringRow, row: ConversationRow, action: Invite, once: str) -> Outcome:
        reason = action.reason or firing.rule_name
        asked: list[AccountId] = []
        named = tuple([AccountId(each) for each in action.account_ids if await self._can_come(row, each)])
        if named:
            change = await self._participants.ask(
                row.shop_id, row.id, named, by=None, reason=reason, once=f"{once}:p"
            )
            asked += change.invited
        if action.group_id is not None:
            group = GroupId(action.group_id)
            members = await self._participants.who_can_come(row.shop_id, group)
            change = await self._participants.ask(
                row.shop_id, row.id, members, by=None, group=group, reason=reason, once=f"{once}:g"
            )
            asked += change.invited
        return {"outcome": "done" if asked else "nothing", "invited": asked}

    async def _add(self, firing: FiringRow, row: ConversationRow, action: Add, once: str) -> Outcome:
        added: list[AccountId] = []
        for place, person in enumerate(action.account_ids):
            account = AccountId(person)
            if account not in row.speaking and await self._can_come(row, account):
                await self._participants.add(
                    row.shop_id,
                    row.id,
                    account,
                    "collaborator",
                    by=None,
                    reason=firing.rule_name,
                    once=f"{once}:{place}",
                )
                added.append(account)
        return {"outcome": "done" if added else "nothing", "added": added}

    async def _can_come(self, row: ConversationRow, account: str) -> bool:
        found = await self._accounts.find(row.shop_id, AccountId(account))
        return found is not None and await self._participants.can_serve(found)

    async def _notify(self, firing: FiringRow, row: ConversationRow, action: Notify) -> Outcome:
        people = [AccountId(person) for person in action.account_ids]
        if action.group_id is not None:
            people += await self._groups.members(row.shop_id, GroupId(action.group_id))
        if action.owner and row.owner_id is not None:
            people.append(row.owner_id)
        to = tuple(dict.fromkeys(PersonId(person) for person in people))
        if not to:
            return {"outcome": "nothing", "told": []}
        notice = Notice(
            text=action.text,
            conversation_id=row.id,
            rule_id=firing.rule_id,
            at=text_of_ms(firing.at_ms),
        )
        self._bus.publish(row.shop_id, [push(to, "notice.given", notice)])
        return {"outcome": "done", "told": list(to)}

    # --- routing -----------------------------------------------------------------------------------------------------
    async def _set_priority(self, row: ConversationRow, action: SetPriority) -> Outcome:
        outcome = await self._routing.attempt(
            row.shop_id,
            lambda engine, stamp: engine.set_priority(
                row.id, _CLASS[action.priority], op_id=stamp.op_id, day=stamp.day
            ),
        )
        if isinstance(outcome, Done):
            return {"outcome": "done" if outcome.decisions else "nothing"}
        if outcome.refusal in (Refusal.NOT_WAITING, Refusal.UNKNOWN_CONVERSATION):
            return {"outcome": "nothing", "reason": outcome.refusal.value}
        raise refused(outcome.refusal)

    async def _hand_on(self, firing: FiringRow, row: ConversationRow, action: HandOn) -> Outcome:
        epoch: int = firing.given["assign_epoch"]
        if row.state is Life.CLOSED or row.assign_epoch != epoch:
            # Done already, before a crash; or since the rule held it was given to somebody else, which counts.
            return {"outcome": "nothing", "reason": "owner_changed", "owner": row.owner_id}
        giving = Giving(by=None, epoch=epoch, stay=action.stay, reason=firing.rule_name)
        if action.group_id is not None:
            group = await self._groups.get(row.shop_id, GroupId(action.group_id))
            await self._handing_over.to_group(row, group, giving)
        else:
            account = AccountId(action.account_id or "")
            if account == row.owner_id:
                return {"outcome": "nothing", "reason": "same_owner", "owner": account}
            await self._handing_over.to_account(row, account, giving)
        after = await self._conversations.get(row.shop_id, row.id)
        return {"outcome": "done", "owner": after.owner_id}

    # --- words -------------------------------------------------------------------------------------------------------
    async def _tag(self, row: ConversationRow, action: Tag) -> Outcome:
        changed, talks = await self._customers.retag(
            row.shop_id, row.customer_id, add=action.add, remove=action.remove
        )
        if not changed:
            return {"outcome": "nothing"}
        await self._news.changed(row.shop_id, [row.customer_id], talks)
        return {"outcome": "done"}

    async def _append(self, firing: FiringRow, once: str, sender: str, body: dict[str, Any]) -> None:
        """Into the log, for colleagues only; once, however often."""
        raw = orjson.dumps(body)
        entry = Entry(
            shop_id=firing.shop_id,
            conversation_id=ConversationId(firing.subject_id),
            sender_kind="system",
            sender_id=None,
            sender_name=sender,
            client_message_id=ClientMessageId(once),
            body=raw,
            body_hash=hashlib.blake2b(raw, digest_size=16).digest(),
            visibility="internal",
        )
        done = await self._writer.append(entry)
        if not done.duplicate:
            self._delivery.appended(entry, done)
