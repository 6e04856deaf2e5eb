"""I7: what events had made of the world is what a fresh snapshot says. Pure: one conversation at a time."""

from collections.abc import Iterator

from loadtest.checker.rows import Cast, Talk, Violation


def violations(conversation: str, talk: Talk, cast: Cast) -> Iterator[Violation]:
    """Of everybody who wrote down both, pen by pen."""
    held = {each.pen: each.facts for each in talk.held}
    fresh = {each.pen: each.facts for each in talk.fresh}
    for pen in held.keys() | fresh.keys():
        ours, theirs = held.get(pen), fresh.get(pen)
        who = cast.person(pen)
        if ours is None or theirs is None:
            known = "events" if theirs is None else "a fresh snapshot"
            yield Violation("I7", conversation, f"{who} knows it only by {known}")
            continue
        for member in sorted(ours.keys() | theirs.keys()):
            if ours.get(member) != theirs.get(member):
                yield Violation(
                    "I7",
                    conversation,
                    f"{who} has {member} {ours.get(member)!r}, a fresh snapshot {theirs.get(member)!r}",
                )
