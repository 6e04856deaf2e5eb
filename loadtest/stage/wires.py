"""The process of all proxies and balancers of a stage, `python -m loadtest.stage.wires`: a process of its own, so that
what passes through them costs the load no time of its event loop.

Its orders (`loadtest.orders`) and the answers:

- `{"do": "proxy", "name", "to": [HOST, PORT], "at": HOST, "keep_source"}` and
  `{"do": "balancer", "name", "to": [[HOST, PORT], ...]}`: `{"port"}`
- `{"do": "treat", "name", "mode", "direction", "seconds", "bytes_per_s"}`: `{"connections"}`
- `{"do": "close", "name"}`: `{}`
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import uvloop

from loadtest.orders import obey
from loadtest.stage.balancer import Balancer
from loadtest.stage.proxy import LOOPBACK, Direction, Mode, Place, Proxy, Treatment


class Wires:
    """All of them by name."""

    def __init__(self) -> None:
        self._proxies: dict[str, Proxy] = {}
        self._balancers: dict[str, Balancer] = {}

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:
        """Follow one order. KeyError, ValueError, OSError when it cannot be followed."""
        name = str(order["name"])
        match order["do"]:
            case "proxy":
                route = _always((str(order["to"][0]), int(order["to"][1])))
                proxy = await Proxy.open(
                    route, str(order.get("at", LOOPBACK)), keep_source=bool(order.get("keep_source", True))
                )
                self._proxies[name] = proxy
                return {"port": proxy.port}
            case "balancer":
                balancer = await Balancer.open([(str(host), int(port)) for host, port in order["to"]])
                self._balancers[name] = balancer
                return {"port": balancer.proxy.port}
            case "treat":
                treatment = Treatment(
                    Mode(order["mode"]), float(order.get("seconds", 0)), float(order.get("bytes_per_s", 0))
                )
                proxy = self._balancers[name].proxy if name in self._balancers else self._proxies[name]
                proxy.treat(treatment, Direction(order.get("direction", "both")))
                return {"connections": proxy.connections}
            case "close":
                named = self._balancers if name in self._balancers else self._proxies
                await named.pop(name).close()
                return {}
            case what:
                raise ValueError(f"no such order: {what}")

    async def close(self) -> None:
        """All of them."""
        for each in (*self._balancers.values(), *self._proxies.values()):
            await each.close()


def _always(place: Place) -> Callable[[], Sequence[Place]]:
    return lambda: (place,)


async def keep() -> None:
    """Follow orders until the standard input ends."""
    wires = Wires()
    await obey(wires.do)
    await wires.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(keep())
