"""I1: what was acknowledged is stored exactly once, and everybody was given PostgreSQL's order, less what is not for
them. Pure: one conversation at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from loadtest.checker.rows import Cast, Conversation, Entry, Talk, Violation
from loadtest.records import Given
from protocol.codes import ErrorCode

STAFF: Final = frozenset({"agent", "bot"})
PERHAPS_STORED: Final = frozenset(
    {
        ErrorCode.COMMIT_UNKNOWN,
        ErrorCode.UNAVAILABLE,
        ErrorCode.RATE_LIMITED,
        ErrorCode.INTERNAL_ERROR,
        # The name is taken, by other words.
        ErrorCode.IDEMPOTENCY_CONFLICT,
    }
)
"""After these as the last answer it may be stored or not; after any other refusal it cannot be."""

SENT_ON: Final = "again:"
"""How the server calls a message that came when its conversation was just over, in the one that it opened."""


def violations(row: Conversation, log: Sequence[Entry], talk: Talk, cast: Cast) -> Iterator[Violation]:
    """Everything wrong with one conversation's transcripts. `log`: by `seq`."""
    stored = {(entry.sender, entry.name): entry for entry in log if entry.sender}
    yield from _once(row, log)
    yield from _kept(row, stored, talk, cast)
    yield from _in_order(row, stored, talk, cast)
    yield from _meant(row, stored, talk, cast)
    theirs = [entry for entry in log if entry.customer_seq is not None]
    for pen, given in talk.given.items():
        whole = theirs if cast.person(pen) == row.customer else log
        yield from _same(row, pen, given, whole, cast)
    yield from _whole(row, log, theirs, talk, cast)


def _once(row: Conversation, log: Sequence[Entry]) -> Iterator[Violation]:
    names = Counter((entry.sender, entry.name) for entry in log)
    ids = Counter(entry.message_id for entry in log)
    for name, times in (*names.items(), *ids.items()):
        if times > 1:
            yield Violation("I1", row.id, f"{name} is stored {times} times")


def _kept(
    row: Conversation, stored: dict[tuple[str, str], Entry], talk: Talk, cast: Cast
) -> Iterator[Violation]:
    for acked in talk.acked:
        person = cast.person(acked.pen)
        entry = stored.get((person, acked.name))
        if entry is None:
            yield Violation("I1", row.id, f"{acked.name} was acknowledged as {acked.seq} and is not stored")
            continue
        seq = entry.customer_seq if person == row.customer else entry.seq
        if (acked.seq, acked.message_id) != (seq, entry.message_id):
            yield Violation(
                "I1",
                row.id,
                f"{acked.name} was acknowledged as {acked.seq} ({acked.message_id}) and is stored as {seq} "
                f"({entry.message_id})",
            )
    for refused in talk.refused:
        if refused.code not in PERHAPS_STORED and (cast.person(refused.pen), refused.name) in stored:
            yield Violation(
                "I1", row.id, f"{refused.name} was refused as {refused.reason} and is stored all the same"
            )


def _in_order(
    row: Conversation, stored: dict[tuple[str, str], Entry], talk: Talk, cast: Cast
) -> Iterator[Violation]:
    """What was sent after an answer to something earlier of the same sender comes after it in the log."""
    answered: dict[tuple[str, str], int] = {}
    for acked in talk.acked:
        answered.setdefault((acked.pen, acked.name), acked.at_us)
    last: dict[str, tuple[int, int]] = {}
    """pen -> when its latest answered send was answered, and its place"""
    for sent in talk.sent:
        entry = stored.get((cast.person(sent.pen), sent.name))
        at = answered.get((sent.pen, sent.name))
        if entry is None or at is None:
            continue
        before = last.get(sent.pen)
        if before is not None and before[0] < sent.at_us and entry.seq < before[1]:
            yield Violation("I1", row.id, f"{sent.name} is stored before what its sender sent earlier")
        last[sent.pen] = (at, entry.seq)


def _meant(
    row: Conversation, stored: dict[tuple[str, str], Entry], talk: Talk, cast: Cast
) -> Iterator[Violation]:
    """What is stored is what somebody sent, in their words; of people whom the journal knows."""
    sent = {(cast.person(each.pen), each.name): each for each in talk.sent}
    writers = {came.person for came in cast.pens.values()}
    for key, entry in stored.items():
        meant = sent.get(key)
        if meant is not None:
            if not entry.recalled and entry.digest != meant.digest:
                yield Violation("I1", row.id, f"{entry.name} does not say what was sent")
            if meant.internal != (entry.customer_seq is None):
                yield Violation("I1", row.id, f"{entry.name} was sent to others than it is stored for")
        elif entry.sender in writers and key not in cast.openings and not entry.name.startswith(SENT_ON):
            yield Violation("I1", row.id, f"{entry.name} is stored and nobody sent it")


def _same(
    row: Conversation, pen: str, given: Sequence[Given], whole: Sequence[Entry], cast: Cast
) -> Iterator[Violation]:
    customer = cast.person(pen) == row.customer
    for place, (theirs, entry) in enumerate(zip(given, whole, strict=False), 1):
        told = (theirs.seq, theirs.message_id, theirs.name)
        seq = entry.customer_seq if customer else entry.seq
        if told != (seq, entry.message_id, entry.name):
            yield Violation(
                "I1",
                row.id,
                f"entry {place} of {_name(pen, cast)} is {told}, stored is {entry.seq} {entry.name}",
            )
            return
        if not entry.recalled and theirs.digest != entry.digest:
            yield Violation("I1", row.id, f"entry {place} of {_name(pen, cast)} does not say what is stored")
            return
    if len(given) > len(whole):
        yield Violation(
            "I1", row.id, f"{_name(pen, cast)} was given {len(given)} entries, stored are {len(whole)}"
        )


def _whole(
    row: Conversation, log: Sequence[Entry], theirs: Sequence[Entry], talk: Talk, cast: Cast
) -> Iterator[Violation]:
    """Who was there to the end has everything: of what they were given something of, and of what is still open."""
    for pen in cast.stayed:
        person = cast.person(pen)
        if person not in row.following and person not in (row.customer, row.owner):
            continue
        given = talk.given.get(pen, ())
        if row.state == "closed" and not given:
            continue
        expected = theirs if person == row.customer else log
        if len(given) < len(expected):
            yield Violation(
                "I1",
                row.id,
                f"{_name(pen, cast)} stayed to the end and was given {len(given)} of {len(expected)}",
            )


def _name(pen: str, cast: Cast) -> str:
    came = cast.pens.get(pen)
    return pen if came is None else f"{came.kind} {came.person} ({pen})"
