"""Letting people in: who they are, what they hold, what they missed (the gateway's `Opener`).

Order matters: first the connection is made known to the other nodes, then the durable state is read;
whatever is committed in between reaches the connection and is held until the missed entries are out. Nothing
can fall between.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from protocol.codes import CloseCode, ErrorCode
from protocol.errors import RequestError
from protocol.events import StreamReset
from protocol.ids import AccountId, ConnectionId, ConversationId, CustomerId, PersonId, SessionId, ShopId
from protocol.methods.session import HelloParams, HelloResult, Me, SessionSnapshot
from protocol.rights import Right, words
from protocol.shapes import AgentCard, Conversation, Party
from protocol.states import AgentStatus, Life, PersonKind
from protocol.times import text_of_ms
from router.link import Link
from router.redis_link import LinkError
from server.limits import GatewayLimits
from server.push import Push, push
from server.services import views
from server.services.agent_feed import AgentFeed
from server.services.agents import Agents
from server.services.authentication import Authentication
from server.services.live import Live, routing_unavailable
from server.services.mentions import Naming
from server.services.participants import Participants
from server.services.queue_feed import QueueFeed
from server.services.routing import Routing
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.views import Audience
from server.services.watching import Watching
from server.services.workbench import Workbenches
from server.session import Ending, Opening, Principal, Session, SessionRefused
from server.store.history import History
from server.store.lists import Lists
from server.store.rows import Missed

SESSION_KEPT_MS = 24 * 3600 * 1000
"""How long a session id can be resumed; its log is in the database however long ago that was."""
NEWEST = 10
"""A customer's open conversation is among so many of the newest: ids of nodes whose clocks differ are not quite in the
order of time."""
MISSED_MOST = 200
"""Missed entries sent per conversation; beyond them the client fetches what it needs (protocol.md)."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The end of a connection, as routing must know it."""

    shop_id: ShopId
    person_id: PersonId
    connection_id: ConnectionId
    kind: PersonKind
    sign_out: bool


class Sessions:
    """Implements the gateway's `Opener`."""

    def __init__(
        self,
        authentication: Authentication,
        link: Link,
        live: Live,
        routing: Routing,
        shops: Shops,
        agents: Agents,
        feed: AgentFeed,
        seeing: Seeing,
        lists: Lists,
        history: History,
        limits: GatewayLimits,
        scope: Scope,
        watching: Watching,
        participants: Participants,
        naming: Naming,
        workbenches: Workbenches,
        queues: QueueFeed,
    ) -> None:
        self._authentication = authentication
        self._link = link
        self._live = live
        self._routing = routing
        self._shops = shops
        self._agents = agents
        self._feed = feed
        self._seeing = seeing
        self._lists = lists
        self._history = history
        self._limits = limits
        self._scope = scope
        self._watching = watching
        self._participants = participants
        self._naming = naming
        self._workbenches = workbenches
        self._queues = queues
        self.epochs: dict[ShopId, str] = {}
        """of the live state to which the people here were made known"""
        self._unheard: list[Parting] = []
        """connections whose end live state has not heard of yet"""

    async def authenticate(
        self, *, ticket: str | None, authorization: str | None, origin: str | None
    ) -> Principal:
        """Prove who it is; see `Opener.authenticate`."""
        if ticket is not None:
            proved = await self._authentication.by_ticket(ticket, origin or "")
        else:
            proved = await self._authentication.by_authorization(authorization or "")
        principal = Principal(
            shop_id=proved.shop_id,
            person_id=proved.person_id,
            kind=PersonKind(proved.kind),
            roles=proved.roles,
            name=proved.name,
            expires_at_ms=proved.expires_at_ms,
            token_version=proved.token_version,
        )
        return replace(principal, observer=await self._scope.may(principal, Right.WATCH))

    async def open(self, session: Session, params: HelloParams) -> Opening:
        """Begin or resume; see `Opener.open`."""
        facts = await self._shops.get(session.shop_id)
        if facts.suspended:
            raise SessionRefused(CloseCode.SHOP_SUSPENDED, "shop suspended")
        joined = await self._join(session)
        if session.kind is not PersonKind.CUSTOMER:
            # Revoked between the proof and the hub: the order to close came too early to find this connection.
            account = AccountId(session.person_id)
            await self._authentication.holds(session.shop_id, account, session.token_version)
        resumed = await self._resume(session, params)
        epoch = self.epochs.setdefault(session.shop_id, joined)
        snapshot = await self._snapshot(session)
        missed: dict[ConversationId, Missed] = {}
        if resumed and params.resume is not None and params.resume.cursors:
            cursors = {ConversationId(key): seq for key, seq in params.resume.cursors.items()}
            missed = await self._missed(session, cursors)
        result = HelloResult(
            session_id=session.session_id,
            resumed=resumed,
            epoch=epoch,
            heartbeat_ms=self._limits.heartbeat_ms,
            limits=self._limits.wire(session.kind),
            server_time=text_of_ms(int(time.time() * 1000)),
            expires_at=text_of_ms(session.expires_at_ms),
            me=Me(
                person=_party(session),
                shop_id=session.shop_id,
                shop_name=facts.name,
                roles=sorted(session.roles),
            ),
            snapshot=snapshot,
        )
        heads = {conversation: each.head_seq for conversation, each in missed.items()}
        return Opening(result, self._replay(session, missed) if missed else None, heads)

    async def _join(self, session: Session) -> str:
        """Make the connection known. Which live state it is known to: one made anew meanwhile would not know it."""
        while True:
            before = await self._live.epoch(session.shop_id)
            await self._connect(session)
            after = await self._live.epoch(session.shop_id)
            if after == before:
                return after

    async def _connect(self, session: Session) -> None:
        """To the directory, and for agents to presence."""
        after = (await self._shops.get(session.shop_id)).policy.offline_after_s
        device = "bot" if session.kind is PersonKind.BOT else session.device
        offline_after_s = None if session.kind is PersonKind.CUSTOMER else after.of(device)
        await self._routing.do(
            session.shop_id,
            lambda engine, stamp: engine.connect(
                session.person_id,
                session.connection_id,
                op_id=stamp.op_id,
                day=stamp.day,
                node=self._live.node,
                offline_after_ms=None if offline_after_s is None else offline_after_s * 1000,
            ),
        )
        if session.kind is not PersonKind.CUSTOMER:
            account = AccountId(session.person_id)
            await self._agents.arrived(session.shop_id, account, device, after.as_patient(device))
            self._feed.touch(session.shop_id, [session.person_id])

    async def closed(self, session: Session, ending: Ending) -> None:
        """The connection is gone: the grace begins (KS-18); signing out makes offline at once."""
        parting = Parting(
            session.shop_id,
            session.person_id,
            session.connection_id,
            session.kind,
            session.kind is PersonKind.ACCOUNT and ending.sign_out,
        )
        if not await self._part(
            parting
        ):  # else somebody would be taken for connected as long as this node lives
            self._unheard.append(parting)

    async def part_again(self) -> int:
        """Say once more what routing could not be told when it happened. Returns of how many connections."""
        heard = 0
        while self._unheard and await self._part(self._unheard[0], late=True):
            del self._unheard[0]  # those who leave meanwhile are added at the end
            heard += 1
        return heard

    async def _part(self, parting: Parting, *, late: bool = False) -> bool:
        """Tell live state. False: it must be told again."""
        shop, person = parting.shop_id, parting.person_id
        try:
            await self._routing.do(
                shop,
                lambda engine, stamp: engine.disconnect(
                    person, parting.connection_id, op_id=stamp.op_id, day=stamp.day, node=self._live.node
                ),
            )
            # Heard of late, they may be there again.
            if parting.sign_out and not (
                late and (await self._agents.state(shop, AccountId(person))).connected
            ):
                await self._watching.end_all(shop, AccountId(person))
                await self._agents.change_status(shop, AccountId(person), AgentStatus.OFFLINE)
        except RequestError as error:
            return error.code is not ErrorCode.UNAVAILABLE
        if parting.kind is not PersonKind.CUSTOMER:
            self._feed.touch(shop, [person])
        return True

    # --- what a session begins with ----------------------------------------------------------------------------------
    async def _snapshot(self, session: Session) -> SessionSnapshot:
        rights = words(await self._scope.grants(session, fresh=True))
        conversations, me = await self._held(session), await self._self(session)
        if session.kind is not PersonKind.ACCOUNT:
            return SessionSnapshot(conversations=conversations, me=me, rights=rights)
        return SessionSnapshot(
            conversations=conversations,
            me=me,
            watching=list(await self._watching.of(session.shop_id, AccountId(session.person_id))),
            invitations=await self._participants.asked(session),
            mentions=await self._naming.unread(session),
            rights=rights,
            pools=await self._queues.begin(session),
            workbench=await self._workbenches.of(session.shop_id),
        )

    async def _held(self, session: Session) -> list[Conversation]:
        """The open conversations of this person."""
        customer = session.kind is PersonKind.CUSTOMER
        audience = Audience.CUSTOMER if customer else Audience.STAFF
        if customer:
            page = await self._lists.of_customer(
                session.shop_id, CustomerId(session.person_id), for_customer=True, limit=NEWEST
            )
            rows = [view for view in page.rows if view.conversation.state is not Life.CLOSED]
        else:
            me = AccountId(session.person_id)
            rows = [
                *await self._lists.mine(session.shop_id, me),
                *await self._lists.shared(session.shop_id, me, watched=True),
            ]
        return [await self._seeing.shown(view, audience) for view in rows]

    async def _self(self, session: Session) -> AgentCard | None:
        if session.kind is PersonKind.CUSTOMER:
            return None
        account = AccountId(session.person_id)
        state = await self._live.ask(session.shop_id, lambda engine: engine.agent(account))
        return None if state is None else views.agent_card(state, session.name)

    async def _missed(
        self, session: Session, cursors: dict[ConversationId, int]
    ) -> dict[ConversationId, Missed]:
        """What this person missed of the conversations they may still see."""
        customer = CustomerId(session.person_id) if session.kind is PersonKind.CUSTOMER else None
        visible = cursors if customer is not None else await self._visible(session, cursors)
        return await self._history.missed(session.shop_id, visible, limit=MISSED_MOST, for_customer=customer)

    async def _visible(
        self, session: Session, cursors: dict[ConversationId, int]
    ) -> dict[ConversationId, int]:
        within = await self._scope.within(session)
        visible = await self._lists.visible(session.shop_id, tuple(cursors), within)
        return {conversation: seq for conversation, seq in cursors.items() if conversation in visible}

    async def _replay(self, session: Session, missed: dict[ConversationId, Missed]) -> AsyncIterator[Push]:
        audience = Audience.CUSTOMER if session.kind is PersonKind.CUSTOMER else Audience.STAFF
        to = (session.person_id,)
        for conversation, each in missed.items():
            if each.reset:
                reset = StreamReset(conversation_id=conversation, head_seq=each.head_seq)
                yield push(to, "stream.reset", reset, conversation=conversation, seq=each.head_seq)
            for row in each.messages:
                yield views.message_push(to, row, audience)

    # --- small things ------------------------------------------------------------------------------------------------
    async def _resume(self, session: Session, params: HelloParams) -> bool:
        """Whether the session named was this person's; then it goes on under its id. Forgotten with Redis (fault 4)."""
        key_of = f"pm:session:{session.shop_id}:"
        try:
            if params.resume is not None:
                held_by = await self._link.call("GET", key_of + params.resume.session_id)
                if held_by is not None and held_by.decode() == session.person_id:
                    session.session_id = SessionId(params.resume.session_id)
            resumed = params.resume is not None and session.session_id == params.resume.session_id
            await self._link.call(
                "SET", key_of + session.session_id, session.person_id, "PX", str(SESSION_KEPT_MS)
            )
        except LinkError:
            raise routing_unavailable() from None
        return resumed


def _party(session: Session) -> Party:
    kind = {PersonKind.CUSTOMER: "customer", PersonKind.BOT: "bot"}.get(session.kind, "agent")
    return Party.model_validate({"kind": kind, "id": session.person_id, "name": session.name})
