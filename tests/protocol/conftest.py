"""The scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.protocol.script import Script


@pytest.fixture
async def server() -> AsyncIterator[Script]:
    script = Script()
    await script.open()
    yield script
    await script.aclose()
