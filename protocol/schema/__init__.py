"""The protocol as documents, made from `METHODS`, `EVENTS` and the shapes, so that they cannot go stale.

`python -m protocol.schema openrpc|asyncapi|typescript|markdown` prints one, `page docs/protocol.md` instead renews the
tables of that page. All are deterministic.
"""

from protocol.schema.asyncapi import asyncapi
from protocol.schema.markdown import markdown
from protocol.schema.openrpc import openrpc
from protocol.schema.typescript import typescript

__all__ = ["asyncapi", "markdown", "openrpc", "typescript"]
