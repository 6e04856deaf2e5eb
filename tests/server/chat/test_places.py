"""A customer at a terminal who waits is told the place, why, and about how long, once that is known."""

import pytest

from protocol.shapes import Queue
from server.chat.language import load
from server.chat.sentences import place


def waiting(estimate_s: int | None) -> Queue:
    return Queue(
        pool="after_sale",
        place=2,
        length=3,
        reason="all_full",
        waiting_since="2026-11-22T10:00:00.000Z",
        estimate_s=estimate_s,
    )


@pytest.mark.req("KS-22")
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "It will take about 2 min."), ("zh-CN", "预计还需约 2 分钟。"), ("zh-TW", "預計還需約 2 分鐘。")],
)
def test_the_wait_is_told_when_it_is_known(language: str, words: str) -> None:
    assert place(load(language), waiting(120)).endswith(words)
    assert place(load(language), waiting(120)) == f"{place(load(language), waiting(None))} {words}"
