"""Ids: versions, and an order that holds within a process whatever its clock, its threads and its forks do."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator

import pytest

from protocol import ids
from protocol.ids import new_id


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The system's clock in milliseconds, to be set. It begins far ahead of what other tests saw."""
    at = [time.time_ns() // 1_000_000 + 86_400_000]
    monkeypatch.setattr(time, "time_ns", lambda: at[0] * 1_000_000)
    yield at
    monkeypatch.undo()
    ids._begin_anew()  # ids of a clock that was ahead shall not be in the way of other tests


def made_at(text: str) -> int:
    return uuid.UUID(text).int >> 80


def test_an_id_is_a_uuid_of_version_7_in_canonical_form_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    found = new_id()
    read = uuid.UUID(found)
    assert str(read) == found
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert before <= made_at(found) <= time.time_ns() // 1_000_000 + 1


def test_ids_of_one_millisecond_come_in_the_order_they_were_made(clock: list[int]) -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {made_at(each) for each in made} == {clock[0]}


def test_the_order_holds_when_the_clock_is_set_back_and_goes_on_after_it(clock: list[int]) -> None:
    made = [new_id()]
    clock[0] -= 5_000
    made += [new_id() for _ in range(100)]
    clock[0] += 5_001
    made.append(new_id())
    assert made == sorted(set(made))
    assert made_at(made[-1]) == clock[0]


def test_a_millisecond_without_room_borrows_from_the_next(
    clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_id()
    monkeypatch.setattr(ids, "_count", ids._FULL - 2)
    made = [new_id() for _ in range(4)]
    assert made == sorted(set(made))
    assert [made_at(each) - clock[0] for each in made] == [0, 0, 1, 1]


def test_two_processes_at_the_same_count_differ_all_the_same(
    clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_id()
    made: list[str] = []
    for _ in range(1_000):
        monkeypatch.setattr(ids, "_count", 7)
        made.append(new_id())
    assert len(set(made)) == 1_000
    assert len({each[:23] for each in made}) == 1


def test_threads_make_different_ids_each_in_order() -> None:
    made: list[list[str]] = [[] for _ in range(8)]
    together = threading.Barrier(len(made))

    def work(own: list[str]) -> None:
        together.wait()
        own.extend(new_id() for _ in range(5_000))

    threads = [threading.Thread(target=work, args=(own,)) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(own == sorted(own) for own in made)
    assert len({each for own in made for each in own}) == 40_000


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork beside threads is what is tried here
def test_a_child_after_a_fork_makes_others_even_when_a_thread_was_making_one(clock: list[int]) -> None:
    new_id()
    reading, writing = os.pipe()
    with ids._lock:  # as a thread of the parent would hold it, which the child does not have
        child = os.fork()
        if child == 0:
            os.write(writing, "".join(new_id() for _ in range(100)).encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    assert os.waitpid(child, 0)[1] == 0
    childs = [text[start : start + 36] for start in range(0, len(text), 36)]
    ours = [new_id() for _ in range(100)]
    assert len({*childs, *ours}) == 200
    assert childs == sorted(childs)
