"""Servers as child processes: heard, measured, ended with us."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from loadtest.children import Child, ChildFailed, cpu_s, descendants, run


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def test_a_first_word_may_take_several_lines(tmp_path: Path) -> None:
    child = await Child.start(
        "talker", python('print("{\\n \\"port\\": 8000\\n}", flush=True); input()'), tmp_path, {}
    )
    assert await child.first_word() == {"port": 8000}
    await child.stop()
    assert not child.running


async def test_a_child_that_ends_at_once_is_said_with_its_last_words(tmp_path: Path) -> None:
    child = await Child.start("broken", python('import sys; sys.exit("no such database")'), tmp_path, {})
    with pytest.raises(ChildFailed, match=r"broken ended before it could start\.\nno such database"):
        await child.first_word()
    await child.stop()


async def test_a_child_that_says_why_it_cannot_start_is_quoted(tmp_path: Path) -> None:
    refusal = """print('{"error": {"message": "the port is taken"}}', flush=True)"""
    child = await Child.start("node-a", python(refusal), tmp_path, {})
    with pytest.raises(ChildFailed, match=r"node-a cannot start: .*the port is taken"):
        await child.first_word()
    await child.stop()


async def test_a_child_gets_its_environment_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    code = 'import json, os; print(json.dumps({"ours": "OURS" in os.environ, "its": os.environ["ITS"]}), flush=True)'
    child = await Child.start("reader", python(code), tmp_path, {"ITS": "2"})
    assert await child.first_word() == {"ours": False, "its": "2"}
    await child.stop()


async def test_cpu_time_is_counted_with_that_of_children(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\nprint('{}', flush=True)\ninput()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    child = await Child.start("parent", python(code), tmp_path, {})
    await child.first_word()
    assert len(descendants(child.pid)) == 1
    assert cpu_s(child.pid) >= 0.2
    await child.stop()
    assert cpu_s(child.pid) == 0


async def test_a_command_gives_its_json(tmp_path: Path) -> None:
    code = 'import json; print(json.dumps({"said": input()}))'
    assert await run(python(code), {}, "hello\n") == {"said": "hello"}


async def test_a_command_that_fails_is_said_with_its_code_and_words() -> None:
    with pytest.raises(ChildFailed, match="ended with code 3:\nno"):
        await run(python('import sys; print("no"); sys.exit(3)'), {})


async def test_children_end_with_us(tmp_path: Path) -> None:
    wait = "import signal, sys; print('{}', flush=True); signal.pause()"
    code = (
        "import asyncio, os, pathlib, sys\n"
        "from loadtest.children import Child\n"
        "async def main():\n"
        f"    command = (sys.executable, '-c', {wait!r})\n"
        f"    child = await Child.start('orphan', command, pathlib.Path({str(tmp_path)!r}), {{}})\n"
        "    await child.first_word()\n"
        "    print('{\"pid\": %d}' % child.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    parent = await Child.start("parent", python(code), tmp_path, {"PYTHONPATH": os.getcwd()})
    orphan = int((await parent.first_word())["pid"])
    async with asyncio.timeout(5):
        while _lives(orphan):
            await asyncio.sleep(0.02)
    await parent.stop()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
