"""The requests about the session itself: hello with its catching up, refresh, bye; and the farewell."""

import logging
from typing import TYPE_CHECKING, cast

from protocol.codec import RequestFrame, encode_error, encode_result
from protocol.codes import CloseCode, ErrorCode
from protocol.errors import RequestError
from protocol.events import Plane
from protocol.ids import ConversationId, SessionId, new_id
from protocol.methods.session import ByeParams, HelloParams, Nothing, RefreshParams, RefreshResult
from protocol.states import Phase
from protocol.times import text_of_ms
from server.gateway import frames
from server.gateway.dispatch import INTERNAL
from server.push import Push
from server.session import Ending, Opener, Opening, Principal, Session, SessionRefused

if TYPE_CHECKING:
    from server.gateway.connection import Connection

log = logging.getLogger(__name__)

HELLO_TWICE = RequestError(
    ErrorCode.INVALID_STATE,
    "already_greeted",
    "This connection has its session; session.refresh prolongs it.",
)
OTHER_PERSON = RequestError(
    ErrorCode.UNAUTHENTICATED, "other_person", "That ticket is somebody else's; connect anew with it."
)
NO_TICKET = RequestError(
    ErrorCode.UNAUTHENTICATED,
    "no_ticket",
    "session.hello needs a ticket, or the handshake an Authorization header.",
)
_NEW_ENTRY = (b'{"jsonrpc":"2.0","method":"message.created"', b'{"jsonrpc":"2.0","method":"note.created"')
"""How frames of new log entries begin: only these are dropped by `seq` (an update of an old entry is news)."""


async def greet(connection: "Connection", frame: RequestFrame) -> None:
    """Answer `session.hello`: prove the person, open the session, bring it up to date, go live."""
    params = cast("HelloParams", frame.params)
    try:
        principal = await _prove(connection, params)
        if connection.closed:
            return
        if _crowded(connection, principal):
            raise SessionRefused(CloseCode.TOO_MANY_CONNECTIONS, "too many connections of this person")
        session = _introduce(connection, principal, params)
    except (SessionRefused, RequestError) as refusal:
        _refuse(connection, frame, refusal)
        return
    except Exception:
        log.exception("authentication on connection %s failed", connection.id)
        _refuse(connection, frame, INTERNAL)
        return
    try:
        opening = await connection.process.opener.open(session, params)
    except (SessionRefused, RequestError) as refusal:
        _refuse(connection, frame, refusal, opened=True)
    except Exception:
        log.exception("opening a session on connection %s failed", connection.id)
        _refuse(connection, frame, INTERNAL, opened=True)
    else:
        await _begin(connection, frame, session, opening)


async def refresh(connection: "Connection", frame: RequestFrame) -> None:
    """Answer `session.refresh`: the same person with a fresh ticket goes on; another one is shown out."""
    session = connection.session
    try:
        principal = await connection.process.opener.authenticate(
            ticket=cast("RefreshParams", frame.params).ticket, authorization=None, origin=connection.origin
        )
    except SessionRefused as refusal:
        connection.close(refusal.code, refusal.reason)
    except RequestError as error:
        connection.reply(encode_error(frame.id, error))  # the session goes on until it expires
    except Exception:
        log.exception("session.refresh on connection %s failed", connection.id)
        connection.reply(encode_error(frame.id, INTERNAL))
    else:
        if (principal.shop_id, principal.person_id) != (session.shop_id, session.person_id):
            connection.reply(encode_error(frame.id, OTHER_PERSON))
            connection.close(CloseCode.AUTH_FAILED, "refreshed as another person")
        elif not connection.closed:
            session.roles = principal.roles
            connection.lasts_until(principal.expires_at_ms)
            result = RefreshResult(expires_at=text_of_ms(principal.expires_at_ms))
            connection.reply(encode_result(frame.id, result))


def bye(connection: "Connection", frame: RequestFrame) -> None:
    """Answer `session.bye` and close."""
    connection.reply(encode_result(frame.id, Nothing()))
    connection.leave(sign_out=cast("ByeParams", frame.params).sign_out)


async def farewell(opener: Opener, session: Session, ending: Ending) -> None:
    """Tell the opener; what goes wrong there concerns nobody here."""
    try:
        await opener.closed(session, ending)
    except Exception:
        log.exception("the end of connection %s was not noted", session.connection_id)


async def _prove(connection: "Connection", params: HelloParams) -> Principal:
    if params.ticket is None:
        if connection.authorized is None:
            raise NO_TICKET
        return connection.authorized
    return await connection.process.opener.authenticate(
        ticket=params.ticket, authorization=None, origin=connection.origin
    )


def _crowded(connection: "Connection", principal: Principal) -> bool:
    here = connection.process.hub.count(principal.shop_id, principal.person_id)
    return here >= connection.limits.connections_of(principal.kind)


def _introduce(connection: "Connection", principal: Principal, params: HelloParams) -> Session:
    """From here on what is published for this person is held for the connection."""
    session = Session(
        shop_id=principal.shop_id,
        person_id=principal.person_id,
        kind=principal.kind,
        roles=principal.roles,
        name=principal.name,
        session_id=SessionId(new_id()),
        connection_id=connection.id,
        device=params.client.device,
        origin=connection.origin,
        expires_at_ms=principal.expires_at_ms,
        outlet=connection,
        token_version=principal.token_version,
        address=connection.address,
    )
    connection.become(session, connection.limits.outbox_bytes(principal.kind, observer=principal.observer))
    return session


def _refuse(
    connection: "Connection",
    frame: RequestFrame,
    refusal: SessionRefused | RequestError,
    *,
    opened: bool = False,
) -> None:
    """Say no and close. `opened`: `Opener.open` was called, so it must hear of the end."""
    if isinstance(refusal, RequestError):
        connection.reply(encode_error(frame.id, refusal))
        code, reason = _close_code(refusal), refusal.reason
    else:
        error = RequestError(ErrorCode.UNAUTHENTICATED, refusal.code.name.lower(), refusal.reason)
        connection.reply(encode_error(frame.id, error))
        code, reason = refusal.code, refusal.reason
    connection.close(code, reason)
    if opened:
        connection.farewell()


def _close_code(error: RequestError) -> CloseCode:
    if error.retryable:
        return CloseCode.OVERLOAD
    return CloseCode.INTERNAL if error.code is ErrorCode.INTERNAL_ERROR else CloseCode.AUTH_FAILED


async def _begin(connection: "Connection", frame: RequestFrame, session: Session, opening: Opening) -> None:
    """The answer, what was missed, what came meanwhile, `session.ready`."""
    if connection.closed:
        if opening.missed is not None:
            await _close(opening)
        connection.farewell()
        return
    process = connection.process
    session.session_id = SessionId(opening.result.session_id)
    process.hub.replace(connection, session.session_id)
    process.metrics.sessions["resumed" if opening.result.resumed else "new"] += 1
    connection.syncing()
    connection.reply(encode_result(frame.id, opening.result))
    told = dict(opening.heads)
    try:
        await _catch_up(connection, opening, told)
    except Exception:
        log.exception("catching up of connection %s failed", connection.id)
        connection.close(CloseCode.INTERNAL, "could not send what was missed")
    if connection.phase is Phase.SYNCING:
        _release(connection, told)
        if connection.phase is Phase.SYNCING:
            connection.to(Phase.LIVE)
            connection.push(frames.ready())


async def _catch_up(connection: "Connection", opening: Opening, told: dict[ConversationId, int]) -> None:
    if opening.missed is None:
        return
    try:
        async for push in opening.missed:
            if connection.phase is not Phase.SYNCING:
                return
            if push.conversation is not None:
                told[push.conversation] = max(push.seq, told.get(push.conversation, 0))
            connection.sender.push(push)  # past the pushes that are held
            await connection.sender.room()
    finally:
        await _close(opening)


async def _close(opening: Opening) -> None:
    close = getattr(opening.missed, "aclose", None)
    if close is not None:
        await close()


def _release(connection: "Connection", told: dict[ConversationId, int]) -> None:
    """Pass on what was held, but for entries that have been told."""
    held = connection.held
    connection.held = None
    assert held is not None
    for push in held.take_pushes():
        if not _already_told(push, told):
            connection.push(push)
    for conversation, seq in held.behind.items():
        connection.push(frames.stream_reset(conversation, max(seq, told.get(conversation, 0))))


def _already_told(push: Push, told: dict[ConversationId, int]) -> bool:
    return (
        push.plane is Plane.DURABLE
        and push.conversation is not None
        and push.seq <= told.get(push.conversation, 0)
        and push.frame.startswith(_NEW_ENTRY)
    )
