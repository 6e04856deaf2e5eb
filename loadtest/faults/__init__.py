"""The table of faults: `FAULTS[number]`. One module a family, each with a tuple `FAMILY` of its faults.

To add one: write `async def inject(scene, dice) -> figures` in its family's module, make a `Fault` of it with its
limits, and put the module's `FAMILY` into `_FAMILIES` below. Then `python -m loadtest chaos --faults NUMBER --seed 7`
runs it alone.
"""

from loadtest.faults import (
    clients,
    clocks,
    hostile,
    logs,
    nodes,
    postgres,
    redis,
    rivals,
    seams,
    streams,
    upgrade,
)
from loadtest.faults.fault import Fault, Figures, Limit, Scene

_FAMILIES = (
    nodes.FAMILY,
    postgres.FAMILY,
    clients.FAMILY,
    seams.FAMILY,
    rivals.FAMILY,
    streams.FAMILY,
    clocks.FAMILY,
    redis.FAMILY,
    hostile.FAMILY,
    logs.FAMILY,
    upgrade.FAMILY,
)
FAULTS: dict[int, Fault] = {
    fault.number: fault
    for fault in sorted((each for family in _FAMILIES for each in family), key=lambda fault: fault.number)
}

__all__ = ["FAULTS", "Fault", "Figures", "Limit", "Scene"]
