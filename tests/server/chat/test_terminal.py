"""The two kinds of terminal: lines in, lines out, and a text that could not be sent comes back under the cursor."""

from __future__ import annotations

import io

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from server.chat.terminal import Pipe, Prompt


async def test_a_line_is_edited_before_it_is_read() -> None:
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        prompt = Prompt()
        keyboard.send_text("你好吗\x7f\r")
        assert await prompt.read() == "你好"


async def test_what_could_not_be_sent_is_under_the_cursor_again() -> None:
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        prompt = Prompt()
        prompt.give_back("half a thought")
        keyboard.send_text(", finished\r")
        assert await prompt.read() == "half a thought, finished"


async def test_ctrl_d_ends_the_talk() -> None:
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        keyboard.send_text("\x04")
        with pytest.raises(EOFError):
            await Prompt().read()


async def test_a_pipe_gives_its_lines_and_then_its_end() -> None:
    target = io.StringIO()
    pipe = Pipe(io.StringIO("one\ntwo\r\n"), target)
    heard: list[str] = []

    async def listen() -> None:
        heard.extend([await pipe.read(), await pipe.read()])
        with pytest.raises(EOFError):
            await pipe.read()
        pipe.say("done")

    await pipe.run(listen())
    assert heard == ["one", "two"]
    assert target.getvalue() == "done\n"
