"""What is read out of Chromium's traces."""

from __future__ import annotations

from typing import Any

from tests.browser.trace_events import Trace, read


def event(what: str, *, tid: int = 1, ts: float = 0, dur: float = 0, **args: Any) -> dict[str, Any]:
    """An event of process 7; times in microseconds, as Chromium has them."""
    return {"name": what, "pid": 7, "tid": tid, "ts": ts, "dur": dur, "args": args}


MAIN = event("thread_name", tid=1, name="CrRendererMain")
OTHER = event("thread_name", tid=2, name="Compositor")


def traced(*events: dict[str, Any]) -> Trace:
    trace = Trace()
    read([MAIN, OTHER, *events], trace)
    return trace


def test_only_the_main_threads_tasks_count() -> None:
    trace = traced(
        event("RunTask", dur=60_000),
        event("RunTask", dur=49_000),
        event("RunTask", tid=2, dur=900_000),
        event("FunctionCall", dur=20_000),
    )
    assert (trace.busy_ms, trace.script_ms, trace.long_ms) == (109, 20, [60])


def test_frames_dropped_one_after_another_are_a_burst() -> None:
    drawn = (True, False, True, False, False, False, True)
    frames = [event("DrawFrame" if each else "DroppedFrame", tid=2, ts=at) for at, each in enumerate(drawn)]
    trace = traced(event("RunTask", dur=1), *reversed(frames))
    assert (trace.drawn, trace.dropped, trace.worst_burst) == (3, 4, 3)


def test_a_trace_without_a_page_has_nothing() -> None:
    trace = Trace()
    read([event("RunTask", dur=60_000)], trace)
    assert trace == Trace()
