"""Screen sharing (CO-04): who may show whom their screen, with whose consent, and the signals between the two.

Pictures go from browser to browser. The server carries WebRTC's offers, answers and candidates over the sockets that
are there, unread, and only between two people who both take part in the same running conversation, one of whom agreed
to show their screen. A share belongs to one session of each side: the one that asked, offered or agreed; of somebody
who was offered it, the first that signals.

Signals are not dropped like typing: they take their place in the send queue like replies, numbered, and a client that
lets its queue overflow is closed and learns it that way.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.events import ScreenChanged, ScreenSignalled
from protocol.ids import AccountId, PersonId, new_id
from protocol.methods import screen as m
from protocol.methods.session import Nothing
from protocol.shapes import Party
from protocol.states import Life, PersonKind
from server.bus import Bus
from server.push import push
from server.services.attempts import Allowance, Attempts
from server.services.names import Names
from server.services.screen_log import ScreenLog
from server.services.seeing import Seeing
from server.services.shares import Share, Shares
from server.session import Session
from server.store.rows import ConversationRow

OPEN: Final = frozenset({Life.QUEUED, Life.ACTIVE})
"""In wrap-up and afterwards nothing is shown any more."""
BEGINS: Final = Allowance("screen", 10)
"""Shares somebody may ask for or offer in a minute: being asked again and again is a nuisance."""
REVISION: Final = {"asked": 1, "agreed": 2, "refused": 3, "ended": 3}
"""Of a share's state, for send queues."""


@dataclass(frozen=True, slots=True)
class ScreenLimits:
    """From the server's settings."""

    ice_servers: tuple[dict[str, Any], ...] = ()
    """for RTCPeerConnection; told to both sides once the share is agreed to"""
    signal_bytes: int = 16 * 1024


class Screens:
    """`screen.*`."""

    def __init__(
        self,
        shares: Shares,
        seeing: Seeing,
        names: Names,
        attempts: Attempts,
        bus: Bus,
        log: ScreenLog,
        limits: ScreenLimits,
    ) -> None:
        self._shares = shares
        self._seeing = seeing
        self._names = names
        self._attempts = attempts
        self._bus = bus
        self._log = log
        self._limits = limits

    async def ask(self, session: Session, params: m.AskScreenParams) -> m.ScreenResult:
        """`screen.ask`: nothing is shown before the other side agrees. Refused: NOT_FOUND, FORBIDDEN
        `not_taking_part`, INVALID_STATE, CONFLICT `screen_busy`, RATE_LIMITED."""
        row = await self._conversation(session, params.conversation_id)
        sharer = await self._other(session, row, params.sharer_id)
        viewer = _self(session)
        share = Share(
            new_id(), row.shop_id, row.id, sharer, viewer, "asked", viewer_session=session.session_id
        )
        return await self._begin(session, share, params.reason)

    async def offer(self, session: Session, params: m.OfferScreenParams) -> m.ScreenResult:
        """`screen.offer`: offering the own screen is the consent. Refused as `ask`."""
        row = await self._conversation(session, params.conversation_id)
        viewer = await self._other(session, row, params.viewer_id)
        sharer = _self(session)
        share = Share(
            new_id(), row.shop_id, row.id, sharer, viewer, "agreed", sharer_session=session.session_id
        )
        result = await self._begin(session, share, "")
        await self._started(share)
        return result

    async def answer(self, session: Session, params: m.AnswerScreenParams) -> m.ScreenResult:
        """`screen.answer`: only who was asked. Refused: NOT_FOUND, INVALID_STATE."""
        share = await self._own(session, params.share_id)
        if share.people[0] != session.person_id:
            raise invalid_state("not_asked", "You asked for this; the other side answers.")
        if not params.agree:
            if await self._shares.end(share, "refused") == "":
                raise _over()
            return self._tell(replace(share, state="refused"))
        await self._still(session, share)
        state = await self._shares.agree(share, session.session_id)
        if state != "agreed":
            raise _over()
        agreed = replace(share, state="agreed", sharer_session=session.session_id)
        result = self._tell(agreed)
        await self._started(agreed)
        return result

    async def signal(self, session: Session, params: m.SignalScreenParams) -> Nothing:
        """`screen.signal`: carried to the other side, in order. Refused: NOT_FOUND, FORBIDDEN, INVALID_STATE
        `not_agreed`, `screen_over`, `other_device`; INVALID_PARAMS `signal_too_large`; RATE_LIMITED."""
        if len(orjson.dumps(params.data)) > self._limits.signal_bytes:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "signal_too_large",
                f"A signal has at most {self._limits.signal_bytes} bytes.",
                detail=[{"field": "data", "problem": "too large"}],
            )
        share = await self._own(session, params.share_id)
        if share.state == "asked":
            raise invalid_state("not_agreed", "Nothing is shown before the other side agrees.")
        await self._still(session, share)
        side = share.side_of(session.person_id)
        assert side is not None, "it is their own"
        sent = await self._shares.signal(share, side, session.session_id)
        if sent.outcome == "over":
            raise _over()
        if sent.outcome == "elsewhere":
            raise invalid_state("other_device", "This share is on another of your devices.")
        if sent.outcome == "slow":
            raise RequestError(
                ErrorCode.RATE_LIMITED,
                "too_many_signals",
                "Too many signals; wait a moment.",
                retry_after_ms=max(sent.number, 1),
            )
        sharer, viewer = share.people
        shape = ScreenSignalled(share_id=share.id, n=sent.number, kind=params.kind, data=params.data)
        to = viewer if side == "sharer" else sharer
        self._bus.publish(share.shop_id, [push((to,), "screen.signalled", shape)])
        return Nothing()

    async def stop(self, session: Session, params: m.StopScreenParams) -> m.ScreenResult:
        """`screen.stop`: either side, at any time; repeating it changes nothing. Refused: NOT_FOUND."""
        share = await self._own(session, params.share_id)
        await self.end(share)
        ended = share.state if share.state == "refused" else "ended"
        return m.ScreenResult(share=self.shown(replace(share, state=ended)))

    async def end(self, share: Share) -> bool:
        """It is over, whoever says so; both sides are told. True: it was this call that ended it."""
        was = await self._shares.end(share, "ended")
        if was == "":
            return False
        self._tell(replace(share, state="ended"))
        if was == "agreed":
            await self._log.stopped(share)
        return True

    def shown(self, share: Share) -> m.ScreenShare:
        """As its people see it."""
        return m.ScreenShare(
            share_id=share.id,
            conversation_id=share.conversation_id,
            sharer=share.sharer,
            viewer=share.viewer,
            state=share.state,
            ice_servers=list(self._limits.ice_servers) if share.state == "agreed" else [],
        )

    async def _started(self, share: Share) -> None:
        """Into the log with it; what cannot be recorded is not shown."""
        try:
            await self._log.started(share)
        except RequestError:
            await self.end(share)
            raise

    async def _begin(self, session: Session, share: Share, reason: str) -> m.ScreenResult:
        await self._attempts.begin((BEGINS, f"{share.shop_id}/{session.person_id}"))
        if not await self._shares.begin(share):
            raise RequestError(
                ErrorCode.CONFLICT, "screen_busy", "That screen is asked for or shown here already."
            )
        return self._tell(share, reason)

    async def _conversation(self, session: Session, conversation_id: str) -> ConversationRow:
        """A running conversation in which the caller takes part."""
        row = await self._seeing.conversation(session, conversation_id)
        _require_part(session.person_id, row)
        if row.state not in OPEN:
            raise invalid_state("conversation_closed", "The conversation is over.")
        return row

    async def _other(self, session: Session, row: ConversationRow, other: str) -> Party:
        """Somebody else, a person, in the same conversation."""
        person = PersonId(other)
        if person == session.person_id or person not in taking_part(row):
            raise not_found("participant")
        if person == row.customer_id:
            customer = await self._names.customer(row.shop_id, row.customer_id)
            return Party(kind="customer", id=customer.id, name=customer.name)
        return await self._names.party(row.shop_id, AccountId(other))

    async def _own(self, session: Session, share_id: str) -> Share:
        """A share of the caller's; others' do not exist for them."""
        share = await self._shares.get(session.shop_id, share_id)
        if share is None or share.side_of(session.person_id) is None:
            raise not_found("share")
        return share

    async def _still(self, session: Session, share: Share) -> None:
        """Both still take part in a conversation that still runs; else the share is over."""
        try:
            goes_on = holds(share, await self._seeing.conversation(session, share.conversation_id))
        except RequestError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            goes_on = False  # who left may not even see it any more: no try of theirs, only too late
        if not goes_on:
            await self.end(share)
            raise _over()

    def _tell(self, share: Share, reason: str = "") -> m.ScreenResult:
        shown = self.shown(share)
        changed = ScreenChanged(share=shown, reason=reason)
        notice = push(
            share.people, "screen.changed", changed, key=f"screen:{share.id}", seq=REVISION[share.state]
        )
        self._bus.publish(share.shop_id, [notice])
        return m.ScreenResult(share=shown)


def taking_part(row: ConversationRow) -> frozenset[PersonId]:
    """The people of a conversation: its customer and who speaks with them. Not who only watches, and no bot."""
    speaking = (person for person in row.speaking if person != row.owner_id or row.owner_kind != "bot")
    return frozenset({PersonId(row.customer_id), *(PersonId(person) for person in speaking)})


def holds(share: Share, row: ConversationRow) -> bool:
    """Whether a share may go on in this conversation as it is now."""
    return row.state in OPEN and taking_part(row).issuperset(share.people)


def _require_part(person: PersonId, row: ConversationRow) -> None:
    if person not in taking_part(row):
        raise RequestError(
            ErrorCode.FORBIDDEN,
            "not_taking_part",
            "Only who takes part in the conversation shares a screen in it.",
        )


def _self(session: Session) -> Party:
    kind = "customer" if session.kind is PersonKind.CUSTOMER else "agent"
    return Party(kind=kind, id=session.person_id, name=session.name)


def _over() -> RequestError:
    return invalid_state("screen_over", "This share is over.")
