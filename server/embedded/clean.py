"""Deletes the data of `make run`, wherever it lives: `python -m server.embedded.clean STATE_DIR`."""

from __future__ import annotations

import sys
from pathlib import Path

from server.embedded.errors import EmbeddedServerError
from server.embedded.workspace import discard


def clean(state_dir: Path) -> str:
    """Deletes the folder; the outcome in a sentence. Raises `EmbeddedServerError` when a run uses it."""
    if not state_dir.exists():
        return f"{state_dir} does not exist: nothing to delete."
    discard(state_dir)
    return f"{state_dir} is deleted."


if __name__ == "__main__":
    try:
        print(clean(Path(sys.argv[1])))
    except EmbeddedServerError as error:
        sys.exit(str(error))
