"""The file of a shop's settings as text: what it may be, and what is refused before anybody looks at what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.services.configuration.text import DEEPEST, read, written

WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cn"), blacklist_characters="\u2028\u2029\ufeff\x85"),
    max_size=20,
)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), PLAIN, min_size=1))
def test_what_is_written_is_read_again(document: dict[str, Any]) -> None:
    found = read(written(document, {"a": "A comment\nof two lines"}))
    assert (found.data, found.faults) == (document, [])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-12-25", "2026-12-25"),
        ("09:00", "09:00"),
        ("012", "012"),
        ("1e9", "1e9"),
        ("'7'", "7"),
        ("7", 7),
        ("-1.5", -1.5),
        ("true", True),
        ("null", None),
        ("", None),
    ],
)
def test_only_numbers_and_three_words_are_anything_but_text(text: str, value: Any) -> None:
    assert read(f"a: {text}").data == {"a": value}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: &x [1]\nb: *x", 2, "anchors"),
        ("a: !!python/object:os.system x", 1, "tag"),
        ("a: !mine x", 1, "tag"),
        ("a: 1\nb: 2\na: 3", 3, "twice"),
        ("a: 1\n---\nb: 2", 2, "more than one"),
        ("? [1]\n: 2", 1, "key"),
        ("a: [1, 2", 2, "no YAML"),
        ("a: 1\n b: 2", 2, "no YAML"),
        ("a: \x00", 0, "no YAML"),
        ("[" * (DEEPEST + 2), 1, "levels"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str, line: int, problem: str) -> None:
    fault = read(text).faults[0]
    assert problem in fault.problem
    assert fault.line in (line, 0) if problem == "no YAML" else fault.line == line


def test_places_have_lines_and_what_is_not_there_the_nearest() -> None:
    found = read("a:\n  - x: 1\n    y: 2\n  - x: 3\n")
    assert [found.at(place) for place in ("a.0.y", "a.1.x", "a.1.gone", "b")] == [3, 4, 4, 1]
