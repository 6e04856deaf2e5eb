"""What must hold of every conversation after any load, checked on what people sent, heard, and what is stored. Pure.

I1: an acknowledged message is stored exactly once, and everybody's log equals the stored order. I2: `seq` is 1..n
without holes. (Ids as in the reliability page. I3, I4 and I8 are counted by the server itself: `GET /v1/invariants`.)
Colleagues count every entry, customers only the public ones, both without holes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log as somebody has it. `name` is the sender's own id of the message (`client_message_id`)."""

    seq: int
    message_id: str
    name: str
    text: str
    internal: bool = False
    """for colleagues only"""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as its sender knows it. `seq` and `message_id` are the reply's; 0 and empty: no reply came."""

    name: str
    text: str
    seq: int = 0
    message_id: str = ""


@dataclass(slots=True)
class Journal:
    """What the people of one conversation did and heard: per sender what they sent in order, per reader their log."""

    sent: dict[str, list[Sent]] = field(default_factory=dict[str, list[Sent]])
    heard: dict[str, Sequence[Entry]] = field(default_factory=dict[str, Sequence[Entry]])
    whole: set[str] = field(default_factory=set[str])
    """readers who were there to the end: their log must be all of it"""
    customers: set[str] = field(default_factory=set[str])
    """who of them counts as customers do"""


def violations(stored: Sequence[Entry], journal: Journal) -> list[str]:
    """Everything that is wrong with one conversation, in sentences. Empty: nothing. `stored`: as colleagues count."""
    public = [entry for entry in stored if not entry.internal]
    theirs = [replace(entry, seq=number) for number, entry in enumerate(public, 1)]

    def log_of(person: str) -> Sequence[Entry]:
        return theirs if person in journal.customers else stored

    return [
        *_numbers(stored),
        *_once(stored),
        *(wrong for sender, sent in journal.sent.items() for wrong in _kept(log_of(sender), sender, sent)),
        *(
            wrong
            for reader, heard in journal.heard.items()
            for wrong in _same(log_of(reader), reader, heard, whole=reader in journal.whole)
        ),
    ]


def _numbers(stored: Sequence[Entry]) -> Iterable[str]:
    numbers = [entry.seq for entry in stored]
    if numbers != list(range(1, len(numbers) + 1)):
        at = next(index for index, seq in enumerate(numbers) if seq != index + 1)
        yield f"I2: entry {at + 1} of the stored log has seq {numbers[at]}"


def _once(stored: Sequence[Entry]) -> Iterable[str]:
    for what in ("message_id", "name"):
        # The server's own entries have no sender, and their names (d:1, d:2) are their own.
        counts = Counter(getattr(entry, what) for entry in stored)
        for value, times in counts.items():
            if times > 1:
                yield f"I1: {what} {value} is stored {times} times"


def _kept(stored: Sequence[Entry], sender: str, sent: Sequence[Sent]) -> Iterable[str]:
    places = {entry.name: index for index, entry in enumerate(stored)}
    last = -1
    for message in sent:
        place = places.get(message.name)
        if place is None:
            if message.seq:
                yield f"I1: {sender}'s {message.name} was acknowledged as {message.seq} and is not stored"
            continue
        entry = stored[place]
        if entry.text != message.text:
            yield f"I1: {sender}'s {message.name} says {entry.text!r} and was sent as {message.text!r}"
        if message.seq and (entry.seq, entry.message_id) != (message.seq, message.message_id):
            yield (
                f"I1: {sender}'s {message.name} was acknowledged as {message.seq} ({message.message_id}) "
                f"and is stored as {entry.seq} ({entry.message_id})"
            )
        if place < last:
            yield f"I1: {sender}'s {message.name} is stored before what they sent earlier"
        last = max(last, place)


def _same(stored: Sequence[Entry], reader: str, heard: Sequence[Entry], *, whole: bool) -> Iterable[str]:
    for place, (theirs, ours) in enumerate(zip(heard, stored, strict=False)):
        if theirs != ours:
            yield f"I1: entry {place + 1} of {reader} is {theirs}, stored is {ours}"
            return
    if len(heard) > len(stored):
        yield f"I1: {reader} has {len(heard)} entries, stored are {len(stored)}"
    elif whole and len(heard) < len(stored):
        yield f"I1: {reader} stayed to the end and has {len(heard)} of {len(stored)} entries"
