"""The queue pools that every shop has, by name (KS-06)."""

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.states import DEFAULT_POOL, OrderState

POOLS = (DEFAULT_POOL, *(state.value for state in OrderState))
"""Every queue pool of every shop."""


def pool_named(name: str | None) -> str | None:
    """A pool that may be named; None: none was. Refuses INVALID_PARAMS `unknown_pool`."""
    if name is not None and name not in POOLS:
        message = f"There is no such queue pool; there are {', '.join(POOLS)}."
        detail = [{"field": "pool", "problem": message}]
        raise RequestError(ErrorCode.INVALID_PARAMS, "unknown_pool", message, detail=detail)
    return name
