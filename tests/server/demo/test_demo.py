"""`pointsman demo` on private servers of its own: it serves, it ends in good order, and it starts again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.live_servers import preferred

START_S = 60.0


@pytest.fixture
def pointsman() -> CommandLine:
    """Without any server given: the demo starts its own."""
    return CommandLine(embedded=preferred())


def demo(folder: Path) -> tuple[str, ...]:
    return ("demo", "--state-dir", str(folder), "--port", "0", "--lang", "en")


def processes_naming(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if text in line and f"{os.getpid()} " not in line]


@pytest.mark.req("KS-22", "PF-04")
def test_it_serves_a_conversation_says_why_and_ends_by_itself(pointsman: CommandLine, tmp_path: Path) -> None:
    with pointsman.start(*demo(tmp_path), "--once") as running:
        running.expect("[1/5] PostgreSQL and Redis ...", within_s=15)
        running.expect("What to open or type:", within_s=START_S)
        running.expect("Conversation served:", within_s=START_S)
        running.expect("Stopped in")
        assert running.ended() == 0
    decisions = [line for line in running.lines if "given to" in line]
    assert decisions, "no decision was shown with its reason"
    assert processes_naming(str(tmp_path)) == []

    # Once more on the same data: nothing is made twice, and it is quicker.
    again = time.monotonic()
    with pointsman.start(*demo(tmp_path), "--once") as running:
        running.expect("Conversation served:", within_s=START_S)
        assert running.ended() == 0
    assert time.monotonic() - again < START_S


def test_ctrl_c_drains(pointsman: CommandLine, tmp_path: Path) -> None:
    with pointsman.start(*demo(tmp_path)) as running:
        running.expect("robots at work", within_s=START_S)
        began = time.monotonic()
        running.signal(signal.SIGINT)
        running.expect("Draining:")
        running.expect("Stopped in")
        assert running.ended() == 0
    assert time.monotonic() - began < 15
    logs = [path.read_text() for path in tmp_path.glob("demo-*.log")]
    assert len(logs) == 2
    assert all("Traceback" not in log for log in logs)
    assert processes_naming(str(tmp_path)) == []


def test_ctrl_c_during_the_start_leaves_nothing_behind(pointsman: CommandLine, tmp_path: Path) -> None:
    with pointsman.start(*demo(tmp_path)) as running:
        running.expect("two nodes ...", within_s=START_S)
        running.signal(signal.SIGINT)
        assert running.ended() == 0
    assert processes_naming(str(tmp_path)) == []


def test_a_second_demo_on_the_same_data_says_what_to_do(pointsman: CommandLine, tmp_path: Path) -> None:
    with pointsman.start(*demo(tmp_path)) as running:
        running.expect("[2/5]", within_s=START_S)
        second = pointsman.run(*demo(tmp_path))
        assert second.code == 1
        assert "in use by another run" in second.err
        running.signal(signal.SIGTERM)
        assert running.ended() == 0


def test_who_tries_the_shop_is_handed_to_who_tries_the_desk(pointsman: CommandLine, tmp_path: Path) -> None:
    """In whichever order a newcomer opens the two: first a robot answers, and then it makes way."""
    with pointsman.start(*demo(tmp_path)) as running:
        listening = running.expect("two nodes: listening on", within_s=START_S)
        ports = listening.rpartition("listening on ")[2].split(" (")[0].split(", ")
        first, second = (("--url", f"http://127.0.0.1:{port}", "--shop", "demo") for port in ports)
        running.expect("robots at work", within_s=START_S)
        with pointsman.start("chat", "customer", *second, "--lang", "en") as customer:
            customer.type("Do you have a blue one?")
            customer.expect("is serving you now", within_s=START_S)
            # Zhou has room for five: a robots' customer who comes in the same second takes nobody's place.
            sign_in = ("--email", "zhou@demo.example", "--password", "pointsman-demo", "--lang", "en")
            with pointsman.start("chat", "agent", *first, *sign_in) as zhou:
                zhou.expect("You are offline")
                zhou.type("/online")
                number = zhou.expect(", from ").partition(" ")[0].removeprefix("#")
                zhou.type(f"/open {number}")
                zhou.expect("Do you have a blue one?")
                zhou.type("Only in red.")
                customer.expect("Only in red.")
        running.signal(signal.SIGINT)
        assert running.ended() == 0
