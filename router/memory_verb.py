"""What every verb of the memory engine has in common: one outcome per op id, fences, liveness, and the fill at the end.

The verbs themselves are in `memory_conversations.py`, `memory_agents.py` and `memory_engine.py`.
"""

import time
from collections.abc import Callable

from router.memory_questions import MemoryQuestions
from router.memory_state import LiveShop
from router.memory_turn import MemoryTurn
from router.model import Done, Due, Outcome, Refusal, Refused

REPLY_KEPT_MS = 60_000
FENCE_KEPT_MS = 24 * 3600 * 1000

Act = Callable[[MemoryTurn], Refusal | None]
"""What one verb does in its turn, or why it does nothing."""


def wall_clock_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


class MemoryVerbs(MemoryQuestions):
    """How a verb is run on a `LiveShop`, for the node incarnation `node`. Nodes of one shop share the `LiveShop`."""

    def __init__(
        self,
        shop: LiveShop | None = None,
        *,
        node: str = "memory",
        clock_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        super().__init__(shop or LiveShop())
        self._node = node
        self._clock_ms = clock_ms

    def run_verb(
        self, op_id: str, day: int, now_ms: int | None, act: Act, *, needs_live: bool = True
    ) -> Outcome:
        """Run `act` as one verb, unless it was run before or must not be; then fill."""
        turn = self.start_turn(day, now_ms)
        reply = self.first_reply(op_id, turn)
        if isinstance(reply, Done | Refused):
            return reply
        barred = self.barred(turn, needs_live=needs_live)
        if barred is not None:
            return Refused(barred)
        refusal = act(turn)
        outcome: Outcome
        if refusal is None:
            more = turn.fill()
            outcome = Done(tuple(turn.decisions), more)
        else:
            outcome = Refused(refusal)
        self.keep_reply(op_id, turn, outcome)
        return outcome

    def keep_reply(self, op_id: str, turn: MemoryTurn, reply: Outcome | Due) -> None:
        """Keep the first outcome of an op id for its repeats."""
        self._shop.replies[op_id] = (turn.now_ms + REPLY_KEPT_MS, reply)

    def now(self, now_ms: int | None) -> int:
        """The moment of a call: what it says, else the engine's own clock."""
        return self._clock_ms() if now_ms is None else now_ms

    def start_turn(self, day: int, now_ms: int | None) -> MemoryTurn:
        """The steps of one verb at its moment."""
        return MemoryTurn(self._shop, self.now(now_ms), day)

    def barred(self, turn: MemoryTurn, *, needs_live: bool = True) -> Refusal | None:
        """Why this node may not act on the shop; None when it may."""
        if self._shop.fenced.get(self._node, turn.now_ms) > turn.now_ms:
            return Refusal.FENCED
        return Refusal.NOT_LIVE if needs_live and not self._shop.live else None

    def first_reply(self, op_id: str, turn: MemoryTurn) -> Outcome | Due | None:
        """The outcome kept for an op id, within its minute."""
        replies = self._shop.replies
        while replies and next(iter(replies.values()))[0] <= turn.now_ms:
            del replies[next(iter(replies))]
        reply = replies.get(op_id)
        return None if reply is None else reply[1]
