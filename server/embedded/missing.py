"""Prints which servers `make run` would lack without the wheels: `postgresql`, `redis`, both, or nothing.

`python -m server.embedded.missing [DATABASE_URL] [REDIS_URL]`, an empty argument standing for a URL not given. Plain
standard library: the Makefile asks before anything is installed.
"""

from __future__ import annotations

import sys

from server.embedded.binaries import find_postgres, find_redis
from server.embedded.errors import EmbeddedServerError


def missing(database_url: str, redis_url: str) -> list[str]:
    """The servers for which there is neither a URL nor an installed program."""
    lacking: list[str] = []
    for name, url, find in (("postgresql", database_url, find_postgres), ("redis", redis_url, find_redis)):
        if not url:
            try:
                find("installed")
            except EmbeddedServerError:
                lacking.append(name)
    return lacking


if __name__ == "__main__":
    given = [*sys.argv[1:], "", ""]
    print(*missing(given[0], given[1]))
