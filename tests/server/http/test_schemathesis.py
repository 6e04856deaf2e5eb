"""The API does what its own document says, for requests that nobody would think of (Schemathesis, over real HTTP)."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from protocol.states import Role
from tests.server.http.world import Shop, World

SEED = 20261122
"""The same requests on every run; another seed by SCHEMATHESIS_SEED."""
EXAMPLES = 3
CONFIG = Path(__file__).with_name("schemathesis.toml")
BUDGET_S = 400
PATHS = "^/v1/(accounts|customers|rules|settings)"
"""About half of the operations: the two halves run beside each other."""


@asynccontextmanager
async def served(world: World) -> AsyncGenerator[str]:
    """The application behind a real socket; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", lifespan="off", ws="none"))
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def schemathesis(url: str, *options: str) -> tuple[int, str]:
    """Runs it as its users do; its exit code, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        f"--config-file={CONFIG}",
        "run",
        f"{url}/openapi.json",
        f"--seed={os.environ.get('SCHEMATHESIS_SEED', SEED)}",
        f"--max-examples={EXAMPLES}",
        "--request-timeout=10",
        "--warnings=off",
        "--output-truncate=false",
        "--no-color",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(BUDGET_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.timeout(450)
@pytest.mark.parametrize("half", [f"--include-path-regex={PATHS}", f"--exclude-path-regex={PATHS}"])
async def test_an_owner_finds_no_answer_that_the_document_does_not_allow(
    world: World, demo: Shop, half: str
) -> None:
    token = world.bearer(demo, Role.OWNER)["Authorization"]
    async with served(world) as url:
        code, said = await schemathesis(
            url,
            f"--header=Authorization: {token}",
            "--checks=all",
            "--phases=examples,coverage,fuzzing",
            half,
        )
    assert code == 0, said
