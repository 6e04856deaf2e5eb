"""What supervisors do in conversations of others: watch, whisper, speak, take over (CO-12).

Each act is judged by its right and reach on the conversation, and is in the audit before it is done: what cannot be
recorded does not happen. The customer gets no trace of any but of who speaks to them and who serves them.
"""

from dataclasses import replace

from protocol.errors import RequestError, invalid_state
from protocol.ids import AccountId, ConversationId
from protocol.methods import supervision as u
from protocol.methods.collaboration import ParticipationResult
from protocol.methods.conversations import ConversationResult
from protocol.methods.messages import SendResult
from protocol.rights import Right
from protocol.states import Life
from router.model import Refusal
from server.services.audit import Audit
from server.services.live import refused
from server.services.notes import Notes
from server.services.participants import Participants
from server.services.routing import Routing
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.watching import Watching
from server.session import Session
from server.store.rows import ConversationRow


class Supervision:
    """`monitor.*` but the wall; see `protocol.methods.supervision` for promises and shapes."""

    def __init__(
        self,
        seeing: Seeing,
        scope: Scope,
        audit: Audit,
        watching: Watching,
        participants: Participants,
        notes: Notes,
        routing: Routing,
    ) -> None:
        self._seeing = seeing
        self._scope = scope
        self._audit = audit
        self._watching = watching
        self._participants = participants
        self._notes = notes
        self._routing = routing

    async def watch(self, session: Session, params: u.WatchParams) -> u.WatchResult:
        """`monitor.watch`. Who takes part hears everything already; watching it again changes nothing."""
        row, me = await self._open(session, params.conversation_id, Right.WATCH, "watch this conversation")
        if me in row.speaking:
            raise invalid_state(
                "takes_part", "You take part in this conversation: you get all of it already."
            )
        if me not in row.watchers:
            await self._watching.room(row.shop_id, me)
            await self._record("monitor.watch", row, params.reason)
            await self._watching.begin(row.shop_id, row.id, me, params.reason)
        return u.WatchResult(
            conversation=await self._seeing.show(session, row.id),
            watching=list(await self._watching.of(row.shop_id, me)),
        )

    async def unwatch(self, session: Session, params: u.UnwatchParams) -> u.UnwatchResult:
        """`monitor.unwatch`. What one does not watch one watches no longer."""
        shop, me = session.shop_id, AccountId(session.person_id)
        if params.conversation_id in await self._watching.of(shop, me):
            await self._audit.done(shop, "monitor.unwatch", "conversation", params.conversation_id)
            await self._watching.end(shop, ConversationId(params.conversation_id), me)
        return u.UnwatchResult(watching=list(await self._watching.of(shop, me)))

    async def whisper(self, session: Session, params: u.WhisperParams) -> SendResult:
        """`monitor.whisper`: for those who watch it, or joined it as supervisors."""
        row = await self._seeing.conversation(session, params.conversation_id)
        return await self._notes.once(session, row, params, self._whisper(session, params))

    async def _whisper(self, session: Session, params: u.WhisperParams) -> SendResult:
        row, me = await self._open(
            session, params.conversation_id, Right.WHISPER, "whisper in this conversation"
        )
        if me not in (*row.watchers, *row.supervisors):
            raise invalid_state(
                "not_watching", "Watch the conversation first: who whispers must hear the answer."
            )
        await self._record("monitor.whisper", row, after={"client_message_id": params.client_message_id})
        return await self._notes.write(session, row, params.client_message_id, params.body, whisper=True)

    async def speak(self, session: Session, params: u.SpeakParams) -> ParticipationResult:
        """`monitor.speak`. Who speaks takes part from then on, and watches no longer."""
        row, me = await self._open(session, params.conversation_id, Right.SPEAK, "speak in this conversation")
        if me == row.owner_id:
            raise invalid_state("owner", "You serve this conversation: you speak in it already.")
        if me not in row.supervisors:
            await self._record("monitor.speak", row, params.reason)
            await self._participants.add(row.shop_id, row.id, me, "supervisor", by=me, reason=params.reason)
        return ParticipationResult(conversation=await self._seeing.show(session, row.id))

    async def take_over(self, session: Session, params: u.TakeOverParams) -> ConversationResult:
        """`monitor.take_over`, whatever one's own capacity. Refused when the owner changed since it was looked at."""
        row, me = await self._open(
            session, params.conversation_id, Right.TAKE_OVER, "take over this conversation"
        )
        await self._scope.require(session, Right.SERVE, "serve customers")
        if me == row.owner_id:
            raise invalid_state("owner", "You serve this conversation already.")
        epoch = row.assign_epoch if params.assign_epoch is None else params.assign_epoch
        if epoch != row.assign_epoch:
            raise refused(Refusal.STALE_EPOCH)
        await self._record("monitor.take_over", row, params.reason, after={"assign_epoch": epoch})
        await self._routing.do(
            row.shop_id,
            lambda engine, stamp: engine.assign(
                row.id, me, by=me, op_id=stamp.op_id, day=stamp.day, expected_epoch=epoch
            ),
        )
        former = row.owner_id
        if params.keep_owner and former is not None and row.owner_kind == "agent":
            try:
                await self._participants.add(
                    row.shop_id, row.id, former, "collaborator", by=me, reason=params.reason
                )
            except RequestError as error:
                if error.retryable:
                    raise
                # Closed in the same moment, or as many take part as may: it is taken over all the same.
        return ConversationResult(conversation=await self._seeing.show(session, row.id))

    # --- shared ------------------------------------------------------------------------------------------------------
    async def _open(
        self, session: Session, conversation_id: str, right: Right, act: str
    ) -> tuple[ConversationRow, AccountId]:
        """A conversation that is not closed, on which the caller has this right, and the caller. Raises NOT_FOUND,
        FORBIDDEN, INVALID_STATE."""
        row = await self._seeing.conversation(session, conversation_id)
        # Judged as if nobody watched it: having been let in to listen is no reason to be let do more.
        await self._scope.require(session, right, act, conversation=replace(row, watchers=()))
        if row.state is Life.CLOSED:
            raise invalid_state("conversation_closed", "The conversation is closed.")
        return row, AccountId(session.person_id)

    async def _record(
        self, action: str, row: ConversationRow, reason: str = "", after: dict[str, object] | None = None
    ) -> None:
        facts = {"owner": row.owner_id, "state": row.state.value}
        await self._audit.done(
            row.shop_id, action, "conversation", row.id, reason=reason, before=facts, after=after
        )
