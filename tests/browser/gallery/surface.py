"""One thing to take a picture of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.browser.gallery.stage import Stage
from tests.browser.people import Language, Window

Scene = Literal["quiet", "busy"]
"""`quiet`: nobody is at work. `busy`: agents, customers and robots are."""
Shows = Callable[[Stage, Window, Language], None]


@dataclass(frozen=True, slots=True)
class Surface:
    """`shows` brings a fresh window to it. `whole`: the picture is as high as the page, however long that is."""

    shows: Shows
    scene: Scene = "busy"
    whole: bool = False
