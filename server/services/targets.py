"""Whom one may choose, and why not the others (GP-04): the same judgement for the chooser and for the act itself.

What is permitted here, the act does; what is not, it refuses. Nobody is chosen by the server but the lightest of a
group, and never somebody who receives nothing automatically (KS-04, KS-14): excluded, paused, or no agent at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from protocol.cards import GroupTarget, Target
from protocol.codes import ErrorCode, Reason
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, GroupId
from protocol.methods.collaboration import TargetsParams, TargetsResult
from protocol.rights import Right
from protocol.states import Role
from router.model import AgentState, Refusal
from server.services import views
from server.services.live import Live, refused
from server.services.names import Names
from server.services.participants import Participants
from server.services.scope import Cover, Scope, Why, refusal
from server.services.seeing import Seeing
from server.services.viewer import Viewer
from server.session import Session
from server.store.accounts import Accounts
from server.store.groups import GroupRow, Groups
from server.store.rows import ConversationRow

Act = Literal["transfer", "assign", "invite"]
Hindrance = Literal["bot", "oneself", "owner_already", "participant_already", "out_of_scope", "excluded"]
Nobody = Literal["only_oneself", "owner_already", "all_paused", "nobody_online"]

RIGHT_OF: Final[dict[Act, Right]] = {
    "transfer": Right.TRANSFER,
    "assign": Right.ASSIGN,
    "invite": Right.INVITE,
}
IdT = TypeVar("IdT", AccountId, GroupId)

_WITH_ROOM = frozenset({Reason.HAS_ROOM})
_OVER_CAPACITY = frozenset({Reason.FULL, Reason.AUTO_PAUSED})
_AT_WORK = _WITH_ROOM | _OVER_CAPACITY | {Reason.PAUSED}


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody is about to do, and how far they may."""

    act: Act
    by: AccountId
    row: ConversationRow | None
    cover: Cover
    """whom they may choose"""
    managed: Cover
    """to whom they may assign as a manager: only managers give anything to an excluded account (KS-14)"""


class Targets:
    """`agent.targets`, and the judgement behind it."""

    def __init__(
        self,
        live: Live,
        accounts: Accounts,
        groups: Groups,
        names: Names,
        seeing: Seeing,
        participants: Participants,
        scope: Scope,
    ) -> None:
        self._live = live
        self._accounts = accounts
        self._groups = groups
        self._names = names
        self._seeing = seeing
        self._participants = participants
        self._scope = scope

    async def targets(self, session: Session, params: TargetsParams) -> TargetsResult:
        """`agent.targets`: everybody who serves, the permitted first, the lightest of them at the top; and all groups.
        Refused like the act itself when the caller may do it to nobody."""
        row = None
        if params.conversation_id is not None:
            row = await self._seeing.conversation(session, params.conversation_id)
        elif params.act == "transfer":
            raise unfit("conversation_id", "conversation_missing", "Name the conversation to be given away.")
        choice = await self.choice(session, params.act, row)
        shop = session.shop_id
        states = await self._live.ask(shop, lambda engine: engine.agents())
        agents: list[Target] = []
        for state in sorted(states, key=_lightest_first):
            party = await self._names.party(shop, state.profile.agent)
            why = hindrance(
                choice, state.profile.agent, bot=party.kind == "bot", excluded=state.profile.excluded
            )
            card = views.agent_card(state, party.name)
            agents.append(Target(agent=card, permitted=why is None, why_not=why))
        members: dict[GroupId, set[AccountId]] = defaultdict(set)
        for account, of in (await self._groups.memberships(shop)).items():
            for group in of:
                members[group].add(account)
        groups = [
            _group_target(choice, group, states, frozenset(members[group.id]))
            for group in await self._groups.of_shop(shop)
        ]
        return TargetsResult(
            agents=sorted(agents, key=lambda target: not target.permitted),
            groups=sorted(groups, key=lambda target: not target.permitted),
        )

    async def choice(self, viewer: Viewer, act: Act, row: ConversationRow | None) -> Choice:
        """What the caller is about to do, if they may do it to anybody, and to this conversation. Raises FORBIDDEN;
        STALE_ASSIGNMENT when it was theirs to give, and is no longer."""
        if act == "transfer" and row is not None and row.owner_id != viewer.person_id:
            await self._seeing.serving(viewer, row.id)
            act = "assign"  # a manager gives what is somebody else's
        right = RIGHT_OF[act]
        if act == "invite":
            await self._scope.require(viewer, right, "ask anybody in")
            if row is not None:
                await self._participants.may_ask(viewer, row)
        else:
            await self._scope.require(viewer, right, f"{act} this", conversation=row)
        return Choice(
            act,
            AccountId(viewer.person_id),
            row,
            await self._scope.cover(viewer, right),
            await self._scope.cover(viewer, Right.ASSIGN),
        )

    async def require_account(self, viewer: Viewer, choice: Choice, account: AccountId) -> None:
        """Raise unless the choice may fall on this account: NOT_FOUND; FORBIDDEN `out_of_scope`, `excluded`;
        INVALID_PARAMS `not_an_agent`, `oneself`; CONFLICT `same_owner`, `participant_already`."""
        row = await self._accounts.find(viewer.shop_id, account)
        if row is None or row.disabled_ms is not None:
            raise not_found("agent")
        why = hindrance(choice, account, bot=Role.BOT in row.roles, excluded=row.excluded)
        if why is not None:
            raise _refusal(choice, why)

    async def require_group(self, viewer: Viewer, choice: Choice, group: GroupId) -> GroupRow:
        """Raise unless the choice may fall on this group: NOT_FOUND, FORBIDDEN `out_of_scope`."""
        row = await self._groups.get(viewer.shop_id, group)
        if not _covers(choice.cover.groups, group):
            raise _refusal(choice, "out_of_scope")
        return row


def hindrance(choice: Choice, account: AccountId, *, bot: bool, excluded: bool) -> Hindrance | None:
    """Why the choice may not fall on an account; None: it may."""
    row = choice.row
    if bot:
        return "bot"
    if account == choice.by and choice.act != "assign":
        return "oneself"
    if row is not None and account == row.owner_id:
        return "owner_already"
    if row is not None and choice.act == "invite" and account in row.speaking:
        return "participant_already"
    if not _covers(choice.cover.accounts, account):
        return "out_of_scope"
    if excluded and choice.act == "transfer" and not _covers(choice.managed.accounts, account):
        return "excluded"
    return None


def lightest(states: Iterable[AgentState], group: GroupId, *, but: AccountId | None) -> AccountId | None:
    """Who of a group gets what is given to it: the lightest of those on duty with room, else the lightest of those who
    are full; None: nobody there can receive now."""
    members = [each for each in states if group in each.profile.groups and each.profile.agent != but]
    for kind in (_WITH_ROOM, _OVER_CAPACITY):
        able = [each for each in members if each.availability in kind]
        if able:
            return min(able, key=_weight).profile.agent
    return None


def nobody_of(
    states: Sequence[AgentState], group: GroupId, *, owner: AccountId | None, by: AccountId
) -> Nobody | None:
    """Why a group can receive nothing now, though it may be chosen; None: somebody can."""
    if lightest(states, group, but=owner) is not None:
        return None
    if owner is not None and lightest(states, group, but=None) == owner:
        return "only_oneself" if owner == by else "owner_already"
    others = (each for each in states if group in each.profile.groups and each.profile.agent != owner)
    return "all_paused" if any(each.availability in _AT_WORK for each in others) else "nobody_online"


def unfit(field: str, reason: str, message: str) -> RequestError:
    """A param that cannot be meant."""
    detail = [{"field": field, "problem": message}]
    return RequestError(ErrorCode.INVALID_PARAMS, reason, message, detail=detail)


def _group_target(
    choice: Choice, group: GroupRow, states: Sequence[AgentState], members: frozenset[AccountId]
) -> GroupTarget:
    now = [each.availability for each in states if group.id in each.profile.groups]
    why = None
    if not _covers(choice.cover.groups, group.id):
        why = "out_of_scope"
    elif choice.act == "invite":  # an invitation waits for those who are away
        if members.isdisjoint(each.profile.agent for each in states):
            why = "nobody_online"
    else:
        why = nobody_of(
            states, group.id, owner=None if choice.row is None else choice.row.owner_id, by=choice.by
        )
    return GroupTarget(
        group_id=group.id,
        name=group.name,
        online=sum(each in _AT_WORK for each in now),
        with_room=sum(each in _WITH_ROOM for each in now),
        permitted=why is None,
        why_not=why,
    )


def _refusal(choice: Choice, why: Hindrance) -> RequestError:
    match why:
        case "bot":
            return unfit("account_id", "not_an_agent", "Conversations are given to people, not to the bot.")
        case "oneself":
            return unfit("account_id", "oneself", "Choose somebody else; you have it already.")
        case "owner_already":
            return refused(Refusal.SAME_OWNER)
        case "participant_already":
            return RequestError(ErrorCode.CONFLICT, why, "They take part in this conversation already.")
        case "out_of_scope":
            return refusal(Why.OUT_OF_SCOPE, f"{choice.act} this to them", RIGHT_OF[choice.act])
        case "excluded":
            message = "Only managers give a conversation to an account that is excluded from routing."
            return RequestError(ErrorCode.FORBIDDEN, why, message)


def _covers(covered: frozenset[IdT] | None, subject: IdT) -> bool:
    return covered is None or subject in covered


def _weight(state: AgentState) -> tuple[float, int, str]:
    return state.load / state.profile.capacity, state.received_today, state.profile.agent


def _lightest_first(state: AgentState) -> tuple[bool, bool, float, int, str]:
    kind = state.availability
    return kind not in _WITH_ROOM, kind not in _AT_WORK, *_weight(state)
