"""The bounded send queue of one connection: three planes, three ways of being too much.

Knows neither socket nor clock. What it holds is bounded by `limit_bytes` for pushes, and by `limit_bytes +
slack_bytes` with replies and state; it says so when even that is not enough (`overflown`), and the connection ends.
"""

from typing import final

from protocol.events import Plane
from protocol.ids import ConversationId
from server.push import Push


@final
class Outbox:
    """Frames in the order in which they will be sent.

    - ephemeral: taken while less than half full, else dropped;
    - state: a later push of the same key replaces the earlier one (unless it is older by `seq`) and goes to the end;
    - durable: never dropped silently. When full the outbox is *lagging*: it goes on sending what it has, and of every
      further event of a log keeps only the conversation and the highest `seq` in `behind`, until `recover`;
    - replies: always taken, up to the slack.
    """

    __slots__ = (
        "_at",
        "_items",
        "behind",
        "dropped",
        "lagging",
        "limit_bytes",
        "overflown",
        "size",
        "slack_bytes",
    )

    def __init__(self, limit_bytes: int, slack_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.slack_bytes = slack_bytes
        self.size = 0
        self.dropped = 0
        """ephemeral pushes dropped"""
        self.lagging = False
        self.overflown = False
        """beyond the slack: nothing more is taken"""
        self.behind: dict[ConversationId, int] = {}
        self._items: list[Push | bytes | None] = []
        self._at: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether anything waits to be sent."""
        return self.size > 0

    @property
    def half_full(self) -> bool:
        """Time to stop asking for more."""
        return self.size * 2 >= self.limit_bytes

    def push(self, push: Push) -> None:
        """Queue a push under the rules of its plane."""
        size = len(push.frame)
        if push.plane is Plane.DURABLE and push.conversation is not None:
            if self.lagging or self.size + size > self.limit_bytes:
                self.lagging = True
                self.fall_behind(push.conversation, push.seq)
            else:
                self._add(push, size)
        elif push.plane is Plane.EPHEMERAL:
            if self.half_full:
                self.dropped += 1
            else:
                self._add(push, size)
        else:
            self._latest(push, size)

    def reply(self, frame: bytes) -> None:
        """Queue the answer to a request."""
        self._add_within_slack(frame, len(frame))

    def fall_behind(self, conversation: ConversationId, seq: int) -> None:
        """This log has entries up to `seq` that will not be sent one by one."""
        self.behind[conversation] = max(seq, self.behind.get(conversation, 0))

    def take(self, most_bytes: int) -> list[bytes]:
        """The next frames, removed: at least one (if any waits), then as many as `most_bytes` allow."""
        if self.size <= most_bytes:
            frames = [
                item if isinstance(item, bytes) else item.frame for item in self._items if item is not None
            ]
            self._clear()
            return frames
        frames: list[bytes] = []
        taken, index = 0, 0
        while index < len(self._items):
            item = self._items[index]
            if item is not None:
                frame = item if isinstance(item, bytes) else item.frame
                if frames and taken + len(frame) > most_bytes:
                    break
                frames.append(frame)
                taken += len(frame)
            index += 1
        self.size -= taken
        del self._items[:index]
        self._at = {key: at - index for key, at in self._at.items() if at >= index}
        return frames

    def take_pushes(self) -> list[Push]:
        """All pushes, removed, for sorting out elsewhere; there must be no replies."""
        pushes = [item for item in self._items if isinstance(item, Push)]
        self._clear()
        return pushes

    def recover(self) -> dict[ConversationId, int]:
        """End lagging (the caller has drained it) and hand over the logs that are behind, with their heads."""
        behind, self.behind = self.behind, {}
        self.lagging = False
        return behind

    def _clear(self) -> None:
        self._items = []
        self._at.clear()
        self.size = 0

    def _add(self, item: Push | bytes, size: int) -> None:
        self._items.append(item)
        self.size += size

    def _add_within_slack(self, item: Push | bytes, size: int) -> None:
        if self.size + size > self.limit_bytes + self.slack_bytes:
            self.overflown = True
        else:
            self._add(item, size)

    def _latest(self, push: Push, size: int) -> None:
        at = self._at.get(push.key) if push.key else None
        if at is not None:
            former = self._items[at]
            assert isinstance(former, Push)
            if former.seq > push.seq > 0:
                return  # two nodes published out of order: the higher revision stays
            self._items[at] = None
            self.size -= len(former.frame)
        if push.key:
            self._at[push.key] = len(self._items)
        self._add_within_slack(push, size)
