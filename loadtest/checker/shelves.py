"""Sorts journals of any size by conversation, in bounded memory: each line goes to one of some files on disk, by its
conversation; one file at a time is then read as a whole."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, cast
from zlib import crc32

import orjson

from loadtest.checker.rows import Cast, Talk
from loadtest.records import Came, Fault, Saw, record

SHELF_BYTES: Final = 8 << 20
"""About so much of the journal is in memory at a time (several times that as objects)."""
SHELVES_MAX: Final = 400
OF_TALKS: Final = frozenset({"sent", "acked", "refused", "given", "read", "held", "fresh"})
_CONVERSATION: Final = 3
"""Where these have it: after the word, the time and the pen."""


class Shelves:
    """The journals of one run, sorted. Made by `sort`; the folder is the caller's."""

    def __init__(self, shelves: Sequence[Path]) -> None:
        self._shelves = shelves
        self.cast = Cast()
        self.seen: dict[str, set[str]] = {}
        """shop -> ids that its people were shown"""
        self.conversations: set[str] = set()
        self.faults: list[Fault] = []
        self.counts: dict[str, int] = {}
        """kind of record -> how many"""

    @classmethod
    def sort(cls, journals: Sequence[Path], folder: Path) -> "Shelves":
        """Read all of them once. Raises ValueError for a line that is no record."""
        size = sum(journal.stat().st_size for journal in journals)
        wanted = min(SHELVES_MAX, 1 + size // SHELF_BYTES)
        shelves = cls([folder / f"shelf-{number}" for number in range(wanted)])
        with ExitStack() as undo:
            files = [undo.enter_context(path.open("wb")) for path in shelves._shelves]
            for journal in journals:
                with journal.open("rb") as lines:
                    for line in lines:
                        row = cast("list[Any]", orjson.loads(line))
                        what = row[0]
                        shelves.counts[what] = shelves.counts.get(what, 0) + 1
                        if what in OF_TALKS and row[_CONVERSATION]:
                            conversation = cast("str", row[_CONVERSATION])
                            shelves.conversations.add(conversation)
                            files[shelf_of(conversation, wanted)].write(line)
                        else:
                            shelves._keep(line)
        return shelves

    def __len__(self) -> int:
        return len(self._shelves)

    def talks(self, number: int) -> dict[str, Talk]:
        """One shelf: conversation -> what the journal has of it, in the order of time."""
        talks: dict[str, Talk] = {}
        with self._shelves[number].open("rb") as lines:
            for line in lines:
                each = cast("Any", record(line))
                talk = talks.get(each.conversation)
                if talk is None:
                    talk = talks[each.conversation] = Talk()
                what = type(each).__name__.lower()
                if what == "given":
                    talk.given.setdefault(each.pen, []).append(each)
                else:
                    getattr(talk, what).append(each)
        return talks

    def _keep(self, line: bytes) -> None:
        """What is about no conversation, or about one that is not known yet."""
        match record(line):
            case Came() as came:
                self.cast.pens[came.pen] = came
            case Saw() as saw:
                self.seen.setdefault(saw.shop, set()).update(saw.ids)
            case Fault() as fault:
                self.faults.append(fault)
            case other:
                self._keep_of_pen(other)

    def _keep_of_pen(self, other: object) -> None:
        what = type(other).__name__.lower()
        each = cast("Any", other)
        if what == "stayed":
            self.cast.stayed.add(each.pen)
        elif what == "sent":
            self.cast.openings.add((self.cast.person(each.pen), each.name))


def shelf_of(conversation: str, shelves: int) -> int:
    """Which of so many a conversation is on."""
    return crc32(conversation.encode()) % shelves


def pages(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """In parts of at most `size`."""
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
