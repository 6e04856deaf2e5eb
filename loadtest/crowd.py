"""Many customers who write and a few agents who read, in one process: the driver of the end-to-end goals.

It knows nothing of the server but a `Speech` and its lines. A message is done when its sender has the acknowledgement
and an agent has the message; both are counted, and so is what came twice, was refused or is still missing at the end.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from loadtest.line import Line
from loadtest.speech import Heard, Speech

DRAIN_S = 10.0
ACKNOWLEDGED, DELIVERED, DONE = 1, 2, 3
_numbers = count(1)


class CrowdFailed(Exception):
    """The server refused, lost or doubled something while it was being measured."""


@dataclass(slots=True, eq=False)
class Customer:
    """One customer: a line and the conversation that is written into."""

    line: Line
    conversation: str
    under_way: int = 0


@dataclass(slots=True)
class Journey:
    """One message on its way. Times are `time.perf_counter()` seconds; 0.0: not yet."""

    customer: Customer
    sent_at: float
    state: int = 0
    delivered_at: float = 0.0


@dataclass(slots=True)
class Tally:
    """What happened since the crowd was made; latencies since the last `reset`."""

    sent: int = 0
    acknowledged: int = 0
    delivered: int = 0
    doubled: int = 0
    refused: list[str] = field(default_factory=list[str])
    latencies_s: list[float] = field(default_factory=list[float])
    """from the write of the customer's frame to its arrival at the agent"""


class Crowd:
    """Customers and agents of one server. `attach` gives it the lines; it hears them from then on."""

    def __init__(self, speech: Speech) -> None:
        self.tally = Tally()
        self._speech = speech
        self._customers: list[Customer] = []
        self._agents: list[Line] = []
        self._journeys: dict[int, Journey] = {}
        self._window = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def attach(self, customers: list[tuple[Line, str]], agents: list[Line]) -> None:
        """Take over the lines; each customer comes with the conversation that they are in."""
        self._customers = [Customer(line, conversation) for line, conversation in customers]
        self._agents = agents
        for customer in self._customers:
            customer.line.hear = self._ear(customer.line, delivers=False)
        for line in agents:
            line.hear = self._ear(line, delivers=True)

    @property
    def under_way(self) -> int:
        """Messages that are not done."""
        return len(self._journeys)

    async def press(self, window: int) -> None:
        """From now on every customer keeps `window` messages under way: the server is saturated."""
        self._window = window
        for _ in range(window):
            for customer in self._customers:
                self._send(customer)
            await asyncio.sleep(0)

    async def pace(self, per_s: float, seconds: float) -> None:
        """Send `per_s` messages a second for so long, in turns, whatever the server does (open loop)."""
        start = time.perf_counter()
        total = int(per_s * seconds)
        for turn in range(total):
            wait = start + turn / per_s - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            self._send(self._customers[turn % len(self._customers)])

    async def rest(self) -> None:
        """Send nothing more and wait until all is done. CrowdFailed when something is missing after `DRAIN_S`."""
        self._window = 0
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._idle.wait()
        except TimeoutError:
            self.check()
            states = [journey.state for journey in self._journeys.values()]
            raise CrowdFailed(
                f"{len(states)} messages are missing after {DRAIN_S:g} s: {states.count(DELIVERED)} delivered and not "
                f"acknowledged, {states.count(ACKNOWLEDGED)} acknowledged and not delivered"
            ) from None

    def reset(self) -> None:
        """Forget the latencies so far."""
        self.tally.latencies_s = []

    def check(self) -> None:
        """Raises CrowdFailed when a line has ended, or anything was refused or doubled."""
        ended = [
            line.ended for line in (*(each.line for each in self._customers), *self._agents) if line.ended
        ]
        if ended:
            raise CrowdFailed(f"{len(ended)} sockets were ended by the server; the first: {ended[0]}")
        if self.tally.refused:
            raise CrowdFailed(f"{len(self.tally.refused)} refusals; the first: {self.tally.refused[0]}")
        if self.tally.doubled:
            raise CrowdFailed(f"{self.tally.doubled} messages were delivered or acknowledged twice")

    async def leave(self) -> None:
        """Close all lines."""
        for customer in self._customers:
            await customer.line.close()
        for line in self._agents:
            await line.close()

    def _send(self, customer: Customer) -> None:
        number = next(_numbers)
        self._idle.clear()
        customer.under_way += 1
        self.tally.sent += 1
        text = self._speech.message(customer.conversation, number)
        self._journeys[number] = Journey(customer, time.perf_counter())
        customer.line.say(text)

    def _ear(self, line: Line, *, delivers: bool) -> Callable[[bytes], None]:
        """Hears one line. An agent's delivers; a customer's own messages, which come back to them, do not."""
        speech = self._speech

        def ear(text: bytes) -> None:
            heard = speech.hear(text)
            if heard.what is Heard.ACKNOWLEDGED:
                self._acknowledged(heard.number)
            elif heard.what is Heard.DELIVERED:
                if delivers:
                    self._delivered(heard.number)
            elif heard.what is Heard.PING:
                line.say(speech.pong)
            elif heard.what is Heard.REFUSED:
                self.tally.refused.append(text[:300].decode(errors="replace"))

        return ear

    def _acknowledged(self, number: int) -> None:
        """A sender heard that their message is accepted."""
        self.tally.acknowledged += 1
        self._step(number, ACKNOWLEDGED)

    def _delivered(self, number: int) -> None:
        """An agent got the message."""
        self.tally.delivered += 1
        journey = self._journeys.get(number)
        if journey is not None and not journey.state & DELIVERED:
            journey.delivered_at = time.perf_counter()
            self.tally.latencies_s.append(journey.delivered_at - journey.sent_at)
        self._step(number, DELIVERED)

    def _step(self, number: int, step: int) -> None:
        journey = self._journeys.get(number)
        if journey is None or journey.state & step:
            self.tally.doubled += 1
            return
        journey.state |= step
        if journey.state != DONE:
            return
        del self._journeys[number]
        customer = journey.customer
        customer.under_way -= 1
        if customer.under_way < self._window:
            self._send(customer)
        elif not self._journeys:
            self._idle.set()
