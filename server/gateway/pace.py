"""How fast one client may speak: messages, frames of any kind, typing, and how much nonsense is borne."""

from typing import final

from server.gateway.rates import Bucket
from server.limits import GatewayLimits, Rate

WRITING = frozenset({"message.send", "note.send", "conversation.open", "monitor.whisper", "monitor.speak"})
"""Requests that put text into a log; all others count as frames only."""


@final
class Pace:
    """The token buckets of one connection. Times are the loop's."""

    __slots__ = ("_frames", "_limits", "_messages", "_strikes", "_typed")

    def __init__(self, limits: GatewayLimits, rate: Rate, now: float) -> None:
        self._limits = limits
        factor = limits.requests_factor
        self._messages = Bucket(rate, now)
        self._frames = Bucket(Rate(rate.per_s * factor, rate.burst * factor), now)
        self._strikes: Bucket | None = None
        self._typed: tuple[str, bool, float] | None = None

    def frame(self, now: float) -> int:
        """0: welcome; else milliseconds to wait."""
        return self._frames.take(now)

    def message(self, now: float) -> int:
        """The same for a request of `WRITING`."""
        return self._messages.take(now)

    def strike(self, now: float) -> bool:
        """Note a refusal; True: that was one too many."""
        if self._strikes is None:
            self._strikes = Bucket(self._limits.strikes, now)
        return self._strikes.take(now) > 0

    def typing(self, conversation: str, typing: bool, now: float) -> float:
        """0: a `typing.set` is passed on; else how many seconds later it may be, if none follows it until then. The end
        of typing is passed on at once: else it would look like typing on."""
        if self._typed is not None:
            where, was_typing, at = self._typed
            wait_s = at + self._limits.typing_interval_s - now
            if wait_s > 0:
                if typing or where != conversation or not was_typing:
                    return wait_s
                now = at  # it does not make the next one wait any longer
        self._typed = (conversation, typing, now)
        return 0
