"""Free loopback ports for private servers."""

from __future__ import annotations

import random
import socket
from typing import Final

from server.embedded.errors import EmbeddedServerError

LOOPBACK: Final = "127.0.0.1"

# Below the range (32768 and up) from which the kernel takes ports for outgoing connections: a server that is down for
# a moment would lose its port to one of the thousands of sockets of a load test, or a client that keeps trying
# would connect to itself.
LOWEST: Final = 20_000
HIGHEST: Final = 32_000


def free_port() -> int:
    """A port that nobody listens on now. It is not reserved: try another when somebody was quicker."""
    for port in random.sample(range(LOWEST, HIGHEST), 200):
        if is_free(port):
            return port
    raise EmbeddedServerError(
        f"None of 200 loopback ports from {LOWEST} to {HIGHEST} is free.", mend="Stop what listens there."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port."""
    with socket.socket() as probe:
        # As both servers do: sockets of the past in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
