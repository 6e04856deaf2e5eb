"""`pointsman` as people and scripts use it: processes with arguments, pipes and exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from server.cli.application import run

ROOT = Path(__file__).resolve().parents[1]
SECRET = "a-secret-of-the-tests-that-is-long-enough"
WITHIN_S = 25.0
COMMAND = (sys.executable, "-m", "server")


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output; fails when there is anything else."""
        return json.loads(self.out)


class CommandLine:
    """Runs commands with one environment, and nothing of ours leaks into it."""

    def __init__(self, **settings: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "LC_ALL": "C.UTF-8",
            **{f"POINTSMAN_{name.upper()}": value for name, value in settings.items()},
        }

    def run(self, *arguments: str | Path, stdin: str = "") -> Ran:
        """Run a command to its end."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=WITHIN_S,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return Ran(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str | Path, stdin: str = "") -> Any:
        """Run a command with --json that succeeds; its document."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.code == 0, done.out + done.err
        return done.document

    def start(self, *arguments: str | Path) -> Running:
        """Begin a command that goes on."""
        return Running([*COMMAND, *map(str, arguments)], self.environment)

    def start_module(self, *arguments: str | Path) -> Running:
        """Begin another program of ours, by its module."""
        return Running([sys.executable, "-m", *map(str, arguments)], self.environment)


class Here:
    """Commands in this very process: as `CommandLine`, but without a second of start-up each."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def settings(self, **settings: str) -> Here:
        """With these settings in the environment."""
        for name, value in settings.items():
            self._monkeypatch.setenv(f"POINTSMAN_{name.upper()}", value)
        return self

    def run(self, *arguments: object, stdin: str = "") -> Ran:
        """Run a command to its end."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    def json(self, *arguments: object, stdin: str = "") -> Any:
        """Run a command with --json that succeeds; its document."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.code == 0, done.out + done.err
        return done.document


class Running:
    """A command that goes on: lines in, lines out. As a context manager it is ended, at last with -9."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            # A terminal's Ctrl+C for pytest is not meant for it.
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._next = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # it ended before it read everything

    def type(self, *lines: str) -> None:
        """Type lines."""
        assert self._process.stdin is not None
        for line in lines:
            self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def leave(self) -> int:
        """End its input; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.ended()

    def expect(self, text: str, within_s: float = WITHIN_S) -> str:
        """The next line with this text, after those that were expected before."""
        deadline = time.monotonic() + within_s
        with self._changed:
            while True:
                for number in range(self._next, len(self.lines)):
                    if text in self.lines[number]:
                        self._next = number + 1
                        return self.lines[number]
                left_s = deadline - time.monotonic()
                ended = self._process.poll() is not None and not self._reader.is_alive()
                if left_s <= 0 or ended:
                    raise AssertionError(f"no line with {text!r} came; there was:\n" + "\n".join(self.lines))
                self._changed.wait(min(left_s, 0.2))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def ended(self, within_s: float = WITHIN_S) -> int:
        """Wait for its end; its exit code."""
        code = self._process.wait(within_s)
        self._reader.join(5)
        assert not any("Traceback" in line for line in self.lines), "\n".join(self.lines)
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
