"""One conversation's log as a client has it: contiguous up to `cursor`. Pure: no clock, no I/O."""

from protocol.shapes import Message

HELD_MAX = 1000
"""Messages kept behind a hole; later ones are dropped and come again with the history."""


class Log:
    """Messages by `seq`, each taken exactly once and in order, whatever is doubled, late or missing on the way.

    `cursor`: everything up to it was taken. `head`: the highest `seq` that is known to exist.
    """

    def __init__(self, cursor: int = 0, *, keep: bool = False) -> None:
        self.cursor = cursor
        self.head = cursor
        self.messages: list[Message] = []
        """what was taken, in order, when `keep`"""
        self._keep = keep
        self._held: dict[int, Message] = {}

    @property
    def missing(self) -> bool:
        """Whether something exists that was not taken yet."""
        return self.head > self.cursor

    def take(self, message: Message) -> list[Message]:
        """What may be applied now that this message came, in order: nothing for a repeat or beyond a hole."""
        if message.seq <= self.cursor:
            return []
        self.head = max(self.head, message.seq)
        if message.seq > self.cursor + 1:
            if len(self._held) < HELD_MAX:
                self._held[message.seq] = message
            return []
        taken = [message]
        while (following := self._held.pop(taken[-1].seq + 1, None)) is not None:
            taken.append(following)
        self.cursor = taken[-1].seq
        if self._held and self.cursor > min(self._held):
            self._held = {seq: held for seq, held in self._held.items() if seq > self.cursor}
        if self._keep:
            self.messages += taken
        return taken

    def update(self, message: Message) -> bool:
        """An entry changed (it was recalled). False for an older version of a kept one."""
        for index in range(len(self.messages) - 1, -1, -1):
            if self.messages[index].seq == message.seq:
                newer = message.rev > self.messages[index].rev
                if newer:
                    self.messages[index] = message
                return newer
        held = self._held.get(message.seq)
        if held is not None and message.rev > held.rev:
            self._held[message.seq] = message
        return True

    def exists(self, head: int) -> None:
        """The log is known to reach `head`."""
        self.head = max(self.head, head)

    def ends_at(self, head: int) -> None:
        """The server says where the log ends: lower than what was heard of before, if that was wrong."""
        self.head = max(head, self.cursor)
        self._held = {seq: held for seq, held in self._held.items() if seq <= head}
