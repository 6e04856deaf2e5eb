"""I2: both numberings of a log are 1..n without holes, and whatever counts them agrees. Pure: one conversation."""

from collections.abc import Iterator, Sequence

from loadtest.checker.rows import Cast, Conversation, Entry, Talk, Violation


def violations(row: Conversation, log: Sequence[Entry], talk: Talk, cast: Cast) -> Iterator[Violation]:
    """Everything wrong with one conversation's numbers. `log`: by `seq`."""
    public = [entry.customer_seq for entry in log if entry.customer_seq is not None]
    for whose, numbers, head in (
        ("the log", [entry.seq for entry in log], row.head),
        ("the customer's log", public, row.customer_head),
    ):
        for place, number in enumerate(numbers, 1):
            if number != place:
                yield Violation("I2", row.id, f"entry {place} of {whose} has the number {number}")
                break
        if head != len(numbers):
            yield Violation("I2", row.id, f"{whose} has {len(numbers)} entries, and is said to have {head}")
    for read in talk.read:
        person = cast.person(read.pen)
        if person == row.customer:
            mark = row.customer_read
        elif person == row.owner:
            mark = row.staff_read
        else:
            continue
        if mark < read.seq:
            yield Violation("I2", row.id, f"read up to {read.seq} by {person}, and marked up to {mark}")
