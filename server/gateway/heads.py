"""How far each log has come, as one connection was told: the remedy for a lost last message (trailing loss)."""

from typing import final

from protocol.codec import encode_notification
from protocol.events import Heartbeat
from protocol.ids import ConversationId


@final
class Heads:
    """Per conversation the highest `seq` that was pushed to (or passed over for) one connection, newest last.

    Bounded: beyond `most`, the log that has been quiet longest is forgotten; its next event brings it back.
    """

    __slots__ = ("_changed", "_most", "_seqs")

    def __init__(self, most: int) -> None:
        self._most = most
        self._seqs: dict[ConversationId, int] = {}
        self._changed: set[ConversationId] = set()

    def advance(self, conversation: ConversationId, seq: int) -> None:
        """This log has come to `seq`, at least."""
        known = self._seqs.pop(conversation, 0)
        self._seqs[conversation] = max(known, seq)
        if seq > known:
            self._changed.add(conversation)
        if len(self._seqs) > self._most:
            oldest = next(iter(self._seqs))
            del self._seqs[oldest]
            self._changed.discard(oldest)

    def of(self, conversation: ConversationId) -> int:
        """0 when nothing is known."""
        return self._seqs.get(conversation, 0)

    def heartbeat(self) -> bytes:
        """An `hb` with the heads that changed since the last one."""
        changed = {str(name): self._seqs[name] for name in self._changed}
        self._changed.clear()
        return encode_notification("hb", Heartbeat(heads=changed))

    def ahead_of(self, cursors: dict[str, int]) -> dict[str, int]:
        """Those of the client's logs in which it is behind what it was told."""
        return {
            name: seq
            for name, cursor in cursors.items()
            if (seq := self._seqs.get(ConversationId(name), 0)) > cursor
        }
