"""I5: no id of one shop was ever shown to another. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from loadtest.checker.rows import Cast, Conversation, Talk, Violation


def sightings(shop: str, seen: Iterable[str], owners: Mapping[str, str]) -> Iterator[Violation]:
    """Ids that people of `shop` were shown. `owners`: id -> the shop that it belongs to; what is nobody's is left
    out (sessions, epochs)."""
    for each in seen:
        owner = owners.get(each, shop)
        if owner != shop:
            yield Violation("I5", each, f"is of shop {owner}, and was shown to somebody of {shop}")


def deliveries(row: Conversation, talk: Talk, cast: Cast) -> Iterator[Violation]:
    """Entries that were given to people of another shop than the conversation's."""
    for pen in talk.given:
        came = cast.pens.get(pen)
        if came is not None and came.shop != row.shop:
            yield Violation(
                "I5", row.id, f"is of shop {row.shop}, and was given to {came.person} of {came.shop}"
            )
