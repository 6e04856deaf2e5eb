"""What all connections of one process share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.gateway.dispatch import Dispatcher
from server.gateway.hub import Hub
from server.gateway.wheel import Wheel
from server.limits import GatewayLimits
from server.metrics import GatewayMetrics
from server.session import Opener

if TYPE_CHECKING:
    from server.gateway.connection import Connection


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """The surroundings of a connection."""

    opener: Opener
    dispatcher: Dispatcher
    hub: Hub
    limits: GatewayLimits
    metrics: GatewayMetrics
    wheel: Wheel
    sockets: "set[Connection]" = field(default_factory=set)
    """every connection whose socket is open, from accept to the last byte"""
