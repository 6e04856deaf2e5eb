"""What a run shows while it goes on: progress and live figures on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

LINE_EVERY_S = 5.0


class Show:
    """Use as a context manager. Everything goes to standard error; standard output is the report's."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._task: TaskID | None = None
        self._figures: Mapping[str, str] = {}
        self._live = Live(console=self._console, refresh_per_second=4, get_renderable=self._picture)
        self._lined_at = 0.0
        self._step = ""

    def __enter__(self) -> "Show":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def tell(self, line: str) -> None:
        """One line that stays."""
        if self._console.is_terminal:
            self._console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def step(self, what: str, of: float = 0) -> None:
        """Something new begins; `of` steps, 0: nobody knows how many."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=of or None)
        self._step = what
        if not self._console.is_terminal:
            self.tell(what)

    def at(self, done: float, figures: Mapping[str, str] | None = None) -> None:
        """So far, and how it goes."""
        if self._task is not None:
            self._progress.update(self._task, completed=round(done))
        if figures is not None:
            self._figures = figures
            now = time.monotonic()
            if not self._console.is_terminal and now - self._lined_at >= LINE_EVERY_S:
                self._lined_at = now
                self.tell("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))

    def _picture(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for name, value in self._figures.items():
            table.add_row(f"[dim]{name}", value)
        return Group(self._progress, table)
