"""Two languages of chat servers, as little of them as the driver needs: how to say a message, and what was heard.

Texts are recognised by where things stand in them, not by parsing JSON: that would cost the driver as much as it
costs the servers. What is not recognised is `Heard.OTHER`; refusals are kept for the report.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

TEXT_CHARS = 79
"""Length of the text in a message: with its ids it is the 200-byte object that all figures speak of."""


class Heard(Enum):
    """What a text from the server was."""

    ACKNOWLEDGED = auto()
    """the sender's own message is accepted"""
    DELIVERED = auto()
    """somebody's message has arrived"""
    PING = auto()
    """wants an answer (`Speech.pong`)"""
    REFUSED = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was heard; `number` is the message's, where it is about one."""

    what: Heard
    number: int = 0


OTHER = Utterance(Heard.OTHER)
PING = Utterance(Heard.PING)
REFUSED = Utterance(Heard.REFUSED)


class Speech(Protocol):
    """How to talk to one kind of server. Messages are numbered over the whole run."""

    pong: bytes

    def message(self, conversation: str, number: int) -> bytes:
        """The text that sends message `number`, asking for an acknowledgement."""
        ...

    def hear(self, text: bytes) -> Utterance:
        """What this text from the server is."""
        ...


def words(number: int) -> str:
    """The text of a message: its number, filled up with dots."""
    return f"message {number} ".ljust(TEXT_CHARS, ".")


def body(conversation: str, number: int) -> str:
    """The message as JSON, the same for all servers."""
    return (
        f'{{"conversation_id":"{conversation}","client_message_id":"m{number}",'
        f'"body":{{"kind":"text","text":"{words(number)}"}}}}'
    )


class PointsmanSpeech:
    """JSON-RPC as in `protocol`."""

    pong = b'{"jsonrpc":"2.0","method":"hb","params":{}}'
    _REPLY = b'{"jsonrpc":"2.0","id":'
    _RESULT = b',"result":'
    _CREATED = b'{"jsonrpc":"2.0","method":"message.created",'
    _BEAT = b'{"jsonrpc":"2.0","method":"hb",'
    _ID = b'"client_message_id":"m'

    def message(self, conversation: str, number: int) -> bytes:
        """As `Speech.message`."""
        params = body(conversation, number)
        return f'{{"jsonrpc":"2.0","id":{number},"method":"message.send","params":{params}}}'.encode()

    def hear(self, text: bytes) -> Utterance:
        """As `Speech.hear`."""
        if text.startswith(self._REPLY):
            end = text.find(b",", 22)
            if text.startswith(self._RESULT, end):
                return Utterance(Heard.ACKNOWLEDGED, int(text[22:end]))
            return REFUSED
        if text.startswith(self._CREATED):
            # An entry of the server itself (assigned, queued) has none, or one of another form.
            start = text.find(self._ID, 44, 260)
            if start < 0:
                return OTHER
            start += len(self._ID)
            return Utterance(Heard.DELIVERED, int(text[start : text.index(b'"', start)]))
        if text.startswith(self._BEAT):
            return PING
        return (
            REFUSED if text.startswith(b'{"jsonrpc":"2.0","id":null') or b'"error":' in text[:40] else OTHER
        )


class SocketIoSpeech:
    """socket.io's text packets (protocol 5) over engine.io's (protocol 4), WebSocket only."""

    pong = b"3"
    open = b"40"
    """joins the default namespace; the server answers `40{...}`"""
    _ACK = b"43"
    _EVENT = b'42["message",'
    _ID = b'"client_message_id":"m'

    def message(self, conversation: str, number: int) -> bytes:
        """As `Speech.message`."""
        return f'42{number}["send",{body(conversation, number)}]'.encode()

    def join(self, number: int, rooms: list[str]) -> bytes:
        """The text that joins these rooms; acknowledged like a message."""
        named = ",".join(f'"{room}"' for room in rooms)
        return f'42{number}["join",[{named}]]'.encode()

    def hear(self, text: bytes) -> Utterance:
        """As `Speech.hear`."""
        if text.startswith(self._ACK):
            return Utterance(Heard.ACKNOWLEDGED, int(text[2 : text.index(b"[")]))
        if text.startswith(self._EVENT):
            start = text.index(self._ID) + len(self._ID)
            return Utterance(Heard.DELIVERED, int(text[start : text.index(b'"', start)]))
        if text == b"2":
            return PING
        return REFUSED if text.startswith((b"44", b"41", b"1")) else OTHER
