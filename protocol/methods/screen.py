"""Requests of screen sharing (CO-04): signalling for WebRTC between two people of one conversation. Pictures go from
browser to browser; the server carries offers, answers and candidates, and keeps the consent."""

from typing import Annotated, Any, Literal

from pydantic import Field

from protocol.methods.conversations import Why
from protocol.shapes import Id, Party, Shape


class AskScreenParams(Shape):
    """Ask somebody of the conversation to show their screen. Nothing is shown before they agree with
    `screen.answer`."""

    conversation_id: Id
    sharer_id: Id
    reason: Why = ""


class OfferScreenParams(Shape):
    """Show the own screen to somebody of the conversation; offering it is the consent."""

    conversation_id: Id
    viewer_id: Id


class ScreenShare(Shape):
    """A share, between one who shows and one who sees."""

    share_id: Id
    conversation_id: Id
    sharer: Party
    viewer: Party
    state: Literal["asked", "agreed", "refused", "ended"]
    """`agreed`: signals may pass"""
    ice_servers: list[dict[str, Any]] = []
    """for RTCPeerConnection, from the server's settings"""


class ScreenResult(Shape):
    """The share after the request."""

    share: ScreenShare


class AnswerScreenParams(Shape):
    """The asked side agrees, or does not."""

    share_id: Id
    agree: bool


class SignalScreenParams(Shape):
    """One step of WebRTC's negotiation, carried to the other side unread."""

    share_id: Id
    kind: Literal["offer", "answer", "candidate"]
    data: Annotated[dict[str, Any], Field(max_length=8)]


class StopScreenParams(Shape):
    """Either side ends it at any time."""

    share_id: Id
