"""Requests about who takes part in a conversation (CO-01, CO-02, CO-06), and the same for other services.

Who may ask whom is judged by the scope engine, on the conversation and on each person; the roster itself is changed by
one statement, and its owner is none of it: exactly one person owns a conversation whoever else takes part.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypedDict

from protocol.cards import Invitation
from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.events import InvitationReceived
from protocol.ids import AccountId, ConversationId, GroupId, ShopId
from protocol.methods import collaboration as m
from protocol.methods.session import Nothing
from protocol.rights import Right
from protocol.shapes import Party
from protocol.states import Role
from protocol.times import text_of_ms
from server.bus import Bus
from server.push import push
from server.services import views
from server.services.casts import Casts
from server.services.collaboration_settings import CollaborationSettings
from server.services.delivery import Delivery, people
from server.services.scope import Scope, Why, refusal, takes_part
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.viewer import Viewer, eyes_of
from server.services.views import Audience
from server.session import Session
from server.store.accounts import AccountRow, Accounts
from server.store.groups import Groups
from server.store.invitations import InvitationRow, Invitations
from server.store.participants import Participants as Store
from server.store.participants import RosterChange, RosterRole
from server.store.rows import ConversationRow


class InvitationTerms(TypedDict, total=False):
    """How many may be asked into one conversation at once, and for how long an invitation holds."""

    most: int
    for_ms: int


class Participants:
    """`participant.*`. `node`: this node's name, for what is written to logs."""

    def __init__(
        self,
        store: Store,
        invitations: Invitations,
        accounts: Accounts,
        groups: Groups,
        shops: Shops,
        scope: Scope,
        seeing: Seeing,
        casts: Casts,
        delivery: Delivery,
        bus: Bus,
        node: Callable[[], str],
    ) -> None:
        self._store = store
        self._invitations = invitations
        self._accounts = accounts
        self._groups = groups
        self._shops = shops
        self._scope = scope
        self._seeing = seeing
        self._casts = casts
        self._delivery = delivery
        self._bus = bus
        self._node = node

    # --- requests ----------------------------------------------------------------------------------------------------
    async def invite(self, session: Session, params: m.InviteParams) -> m.InviteResult:
        """`participant.invite`: all of those named, or nobody. Refused: FORBIDDEN `no_right`, `out_of_scope` (with the
        account or group), `not_participant`; NOT_FOUND; INVALID_PARAMS `nobody_named`, `not_an_agent`, `cannot_serve`;
        INVALID_STATE; CONFLICT `too_many`."""
        row = await self._seeing.conversation(session, params.conversation_id)
        named = tuple(dict.fromkeys(AccountId(person) for person in params.account_ids))
        group = None if params.group_id is None else GroupId(params.group_id)
        if not named and group is None:
            raise _unfit("account_ids", "nobody_named", "Name somebody, or a group.")
        await self.may_ask(session, row)
        await self.judge(session, row, named)
        invited: list[AccountId] = []
        by = AccountId(session.person_id)
        members = () if group is None else await self._members(session, group)
        if named:
            done = await self.ask(row.shop_id, row.id, named, by=by, reason=params.reason)
            invited += done.invited
        if group is not None:
            done = await self.ask(row.shop_id, row.id, members, group=group, by=by, reason=params.reason)
            invited += done.invited
        return m.InviteResult(invited=list(invited))

    async def join(self, session: Session, params: m.TakePartParams) -> m.ParticipationResult:
        """`participant.join`: by an invitation, or by the right to come without one. Taking part already: nothing
        happens. Refused: INVALID_STATE `not_invited`, `conversation_closed`; FORBIDDEN; CONFLICT `too_many`."""
        row = await self._seeing.conversation(session, params.conversation_id)
        me = AccountId(session.person_id)
        if me not in row.speaking:
            why = await self._scope.judge(session, Right.JOIN, conversation=row)
            if why is not Why.PERMITTED and me not in row.invited:
                raise refusal(why, "join this conversation without an invitation", Right.JOIN)
            settings = await self._settings(row.shop_id)
            await self._tell(
                await self._store.change(
                    self._node(),
                    row.shop_id,
                    row.id,
                    "join",
                    (me,),
                    role="collaborator",
                    reason=params.reason,
                    most=settings.participants_max,
                    invited_only=why is not Why.PERMITTED,
                )
            )
        return await self._result(session, row.id)

    async def decline(self, session: Session, params: m.TakePartParams) -> Nothing:
        """`participant.decline`: the caller is asked no longer. Not asked: nothing happens."""
        row = await self._seeing.conversation(session, params.conversation_id)
        me = AccountId(session.person_id)
        if me in row.invited:
            await self._tell(
                await self._store.change(
                    self._node(), row.shop_id, row.id, "decline", (me,), by=None, reason=params.reason
                )
            )
        return Nothing()

    async def leave(self, session: Session, params: m.TakePartParams) -> Nothing:
        """`participant.leave`. Taking no part: nothing happens. Refused: INVALID_STATE `owner_stays`."""
        row = await self._seeing.conversation(session, params.conversation_id)
        me = AccountId(session.person_id)
        if me == row.owner_id:
            raise invalid_state(
                "owner_stays", "You own this conversation; give it to somebody else, and then leave."
            )
        if me in row.speaking:
            await self.drop(row.shop_id, row.id, me, reason=params.reason)
        return Nothing()

    async def remove(self, session: Session, params: m.RemoveParams) -> m.ParticipationResult:
        """`participant.remove`: by the owner; supervisors only by those who may assign the conversation. Takes an
        invitation back too. Refused: FORBIDDEN; INVALID_STATE `owner_stays`."""
        row = await self._seeing.conversation(session, params.conversation_id)
        whom, me = AccountId(params.account_id), AccountId(session.person_id)
        if whom == row.owner_id:
            raise invalid_state(
                "owner_stays", "The owner is not removed; assign the conversation to somebody else."
            )
        if me != row.owner_id or whom in row.supervisors:
            await self._scope.require(session, Right.ASSIGN, "remove this colleague", conversation=row)
        if whom in row.speaking or whom in row.invited:
            await self._tell(
                await self._store.change(
                    self._node(), row.shop_id, row.id, "remove", (whom,), by=me, reason=params.reason
                )
            )
        return await self._result(session, row.id)

    async def invitations(self, session: Session, _params: Nothing) -> m.InvitationsResult:
        """`participant.invitations`."""
        return m.InvitationsResult(invitations=await self.asked(session))

    # --- for other services ------------------------------------------------------------------------------------------
    async def add(
        self,
        shop: ShopId,
        conversation: ConversationId,
        account: AccountId,
        role: RosterRole,
        *,
        by: AccountId | None,
        reason: str = "",
        once: str | None = None,
    ) -> ConversationRow:
        """Let somebody take part, or watch; the caller has judged. `by` None: a rule of the shop. Who takes part
        already, or owns it, stays as they are; collaborators may become supervisors. `once`: names the act (at most
        64 characters), a repeat does nothing.

        Refused: NOT_FOUND; INVALID_STATE `conversation_closed`; CONFLICT `too_many` (never for supervisors).
        """
        settings = await self._settings(shop)
        most = {"collaborator": settings.participants_max, "watcher": settings.watchers_max}.get(role)
        change = await self._store.change(
            self._node(),
            shop,
            conversation,
            "join",
            (account,),
            role=role,
            by=by,
            reason=reason,
            most=most,
            shown=settings.agents_see_watchers,
            once=once,
        )
        await self._tell(change)
        return change.conversation

    async def drop(
        self,
        shop: ShopId,
        conversation: ConversationId,
        account: AccountId,
        *,
        watching: bool = False,
        reason: str = "",
        once: str | None = None,
    ) -> ConversationRow:
        """Somebody takes part no longer, or (`watching`) watches no longer. What is so already stays so. NOT_FOUND."""
        settings = await self._settings(shop)
        change = await self._store.change(
            self._node(),
            shop,
            conversation,
            "leave",
            (account,),
            role="watcher" if watching else None,
            reason=reason,
            shown=settings.agents_see_watchers,
            once=once,
        )
        await self._tell(change)
        return change.conversation

    async def ask(
        self,
        shop: ShopId,
        conversation: ConversationId,
        accounts: tuple[AccountId, ...],
        *,
        by: AccountId | None,
        group: GroupId | None = None,
        reason: str = "",
        once: str | None = None,
    ) -> RosterChange:
        """Invite these, as members of `group` if it is given; the caller has judged. `by` None: a rule of the shop.

        Refused: NOT_FOUND; INVALID_STATE `conversation_closed`; CONFLICT `too_many`.
        """
        change = await self._store.change(
            self._node(),
            shop,
            conversation,
            "invite",
            accounts,
            by=by,
            reason=reason,
            group=group,
            once=once,
            **(await self.invitation_terms(shop)),
        )
        await self._tell(change)
        return change

    async def invitation_terms(self, shop: ShopId) -> InvitationTerms:
        """By what the shop's settings bind an invitation."""
        settings = await self._settings(shop)
        return {"most": settings.invitations_max, "for_ms": settings.invitation_s * 1000}

    async def who_can_come(self, shop: ShopId, group: GroupId) -> tuple[AccountId, ...]:
        """The members of a group who can serve: whom an invitation of the group asks. NOT_FOUND."""
        await self._groups.get(shop, group)
        members = set(await self._groups.members(shop, group))
        accounts = [account for account in await self._accounts.of_shop(shop) if account.id in members]
        return tuple([account.id for account in accounts if await self.can_serve(account)])

    async def can_serve(self, account: AccountRow) -> bool:
        """Whether somebody can take part in conversations at all: a person who is not disabled, with the right to."""
        return (
            account.disabled_ms is None
            and Role.BOT not in account.roles
            and await self._scope.may(eyes_of(account), Right.SERVE)
        )

    async def may_ask(self, viewer: Viewer, row: ConversationRow) -> None:
        """Whether somebody may ask others into a conversation at all: who takes part in it, or could join it, or gives
        it out. Raises FORBIDDEN `not_participant`."""
        if takes_part(viewer.person_id, row) and viewer.person_id not in row.watchers:
            return
        for right in (Right.JOIN, Right.ASSIGN):
            if await self._scope.judge(viewer, right, conversation=row) is Why.PERMITTED:
                return
        raise RequestError(
            ErrorCode.FORBIDDEN,
            "not_participant",
            "Only who takes part in a conversation asks others into it.",
        )

    async def judge(self, viewer: Viewer, row: ConversationRow, accounts: Iterable[AccountId]) -> None:
        """Whether all of these may be asked in by somebody (GP-02, CO-06). Raises for the first who may not: NOT_FOUND,
        INVALID_PARAMS, FORBIDDEN with the account in `detail`."""
        for person in accounts:
            if person in row.speaking:
                continue
            account = await self._accounts.find(viewer.shop_id, person)
            if account is None:
                raise not_found("account")
            why = await self._scope.judge(viewer, Right.INVITE, account=person)
            if why is not Why.PERMITTED:
                error = refusal(why, f"ask {account.name} into a conversation", Right.INVITE)
                error.detail = {"right": Right.INVITE.value, "account_id": person}
                raise error
            if not await self.can_serve(account):
                raise _unfit(
                    "account_ids", "cannot_serve", f"{account.name} does not serve customers and cannot come."
                )

    async def asked(self, viewer: Viewer) -> list[Invitation]:
        """What somebody is asked into now, oldest first."""
        rows = await self._invitations.of_account(viewer.shop_id, AccountId(viewer.person_id))
        return [await self._invitation(viewer.shop_id, row) for row in rows]

    async def expire(self, shop: ShopId, conversation: ConversationId) -> int:
        """End the invitations of a conversation whose time is over. How many."""
        change = await self._store.change(self._node(), shop, conversation, "expire")
        await self._tell(change)
        return len(change.released)

    async def tell(self, change: RosterChange) -> None:
        """A change that was made as part of something else is durable now: let everybody hear of it."""
        await self._tell(change)

    async def tell_again(self, rows: Collection[ConversationRow]) -> None:
        """Who is asked into these, and who was and is not, if perhaps nobody heard of it."""
        # Only where colleagues have entries of their own can anybody have been asked.
        rows = [row for row in rows if row.head_seq > row.customer_head_seq]
        asked_ever = await self._invitations.asked_ever(row.id for row in rows)
        for row in rows:
            past = asked_ever.get(row.id, set[AccountId]())
            if not past:
                continue
            asked = await self._invitations.of_conversation(row.shop_id, row.id)
            self._delivery.asked_no_longer(row, tuple(past.difference(each.account_id for each in asked)))
            for each in asked:
                await self._tell_invited(row, [each])

    # --- shared ------------------------------------------------------------------------------------------------------
    async def _members(self, session: Session, group: GroupId) -> tuple[AccountId, ...]:
        members = await self.who_can_come(session.shop_id, group)
        await self._scope.require(session, Right.INVITE, "ask this group into a conversation", group=group)
        if not members:
            raise _unfit("group_id", "group_empty", "Nobody in this group serves customers.")
        return members

    async def _tell(self, change: RosterChange) -> None:
        await self._delivery.roster(change)
        if change.invited:
            row = change.conversation
            asked = await self._invitations.of_conversation(row.shop_id, row.id)
            await self._tell_invited(row, [each for each in asked if each.account_id in change.invited])

    async def _tell_invited(self, row: ConversationRow, asked: Sequence[InvitationRow]) -> None:
        """All of one change are asked in the same words."""
        if asked:
            invitation = await self._invitation(row.shop_id, asked[0])
            self._bus.publish(
                row.shop_id,
                [
                    push(
                        people(each.account_id for each in asked),
                        "invitation.received",
                        InvitationReceived(invitation=invitation),
                        key=f"invitation:{row.id}",
                    )
                ],
            )

    async def _invitation(self, shop: ShopId, row: InvitationRow) -> Invitation:
        by = Party(kind="system") if row.by is None else (await self._casts.parties(shop, (row.by,)))[0]
        owner = row.customer.owner_id
        looked_after_by = None if owner is None else (await self._casts.parties(shop, (owner,)))[0]
        return Invitation(
            conversation_id=row.conversation_id,
            by=by,
            group_id=row.group_id,
            reason=row.reason,
            at=text_of_ms(row.at_ms),
            expires_at=text_of_ms(row.expires_ms),
            customer=views.customer_card(row.customer, row.priority, Audience.STAFF, looked_after_by),
        )

    async def _settings(self, shop: ShopId) -> CollaborationSettings:
        return (await self._shops.get(shop)).collaboration

    async def _result(self, session: Session, conversation: ConversationId) -> m.ParticipationResult:
        return m.ParticipationResult(
            conversation=await self._seeing.show(session, conversation, passing=True)
        )


def _unfit(field: str, reason: str, message: str) -> RequestError:
    detail = [{"field": field, "problem": message}]
    return RequestError(ErrorCode.INVALID_PARAMS, reason, message, detail=detail)
