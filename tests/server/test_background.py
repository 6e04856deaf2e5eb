"""Work on its own: held while it lasts, put off when it may wait, and over when the end comes."""

from __future__ import annotations

import asyncio

from server.background import Background


async def test_what_was_put_off_runs_when_its_time_has_come() -> None:
    background, ran = Background(), asyncio.Event()

    async def work() -> None:
        ran.set()

    background.later(0.01, work, "work")

    await asyncio.wait_for(ran.wait(), 10)


async def test_what_was_put_off_never_begins_after_the_end() -> None:
    background, ran = Background(), asyncio.Event()

    async def work() -> None:
        ran.set()

    background.later(0.01, work, "work")
    await background.finish(1)
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(
        0.02, later.set
    )  # set after the work would have run: timers keep their order
    await later.wait()

    assert not ran.is_set()


async def test_the_end_waits_for_what_is_under_way() -> None:
    background, may, done = Background(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may.wait()
        done.set()

    background.start(work(), "work")
    asyncio.get_running_loop().call_soon(may.set)
    await background.finish(10)

    assert done.is_set()
    assert len(background) == 0
