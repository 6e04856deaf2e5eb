"""Orders for a process of our own: a JSON object a line on its standard input, one answer a line on its output."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Do = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def obey(do: Do) -> None:
    """Say `{"ready": true}`, then follow orders, one at a time, until the standard input ends.

    An order that cannot be followed (whatever `do` raises) is answered with `{"error": WORDS}`.
    """
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print(json.dumps({"ready": True}), flush=True)
    while line := await orders.readline():
        try:
            answer = await do(json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    transport.close()
