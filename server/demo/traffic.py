"""The demo's day: a steady stream of customers; and each minute one returns, one is handed over, one gives up."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.states import OrderState
from server.chat.door import Door, Unreachable
from server.chat.identity import IdentityKey, Order, Person
from server.chat.link import LinkDown, LinkEnded
from server.demo.board import Board
from server.demo.customer import Customer, Errand
from server.demo.phrases import Phrases
from server.demo.robot import Robot

ARRIVALS_S: Final = 3.5
"""Mean time between two customers: somewhat more than the robots can take at once, so that there is a queue to see."""
WAITING_MOST: Final = 5
MINUTE_S: Final = 60.0
RETURNING_AFTER_S: Final = 40.0
TRANSFER_AFTER_S: Final = 15.0
ABANDON_AFTER_S: Final = 25.0
PATIENCE_S: Final = 6.0
BURST: Final = 7
"""Customers at once that surely fill the delivery desk: one of them gives up."""

FOR_ROBOTS: Final = (
    OrderState.NO_ACTIVE_ORDER,
    OrderState.PLACED_UNPAID,
    OrderState.PAID_UNSHIPPED,
    OrderState.SHIPPED_UNSIGNED,
)
"""Order states that robots serve; the others belong to the person at the terminal when there is one."""


class Traffic:
    """Brings customers to the doors of the nodes in turn, until cancelled."""

    def __init__(self, doors: list[Door], key: IdentityKey, phrases: Phrases, board: Board) -> None:
        self._doors = doors
        self._key = key
        self._phrases = phrases
        self._board = board
        self._robots: list[Robot] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._known: deque[Person] = deque(maxlen=50)
        self._arrived = 0

    def robots(self, robots: list[Robot]) -> None:
        """Who can be asked to hand a conversation over."""
        self._robots = robots

    async def run(self) -> None:
        """The day. Ends when cancelled, and all its customers with it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._arrivals())
                group.create_task(self._each_minute(RETURNING_AFTER_S, self._returning))
                group.create_task(self._each_minute(TRANSFER_AFTER_S, self._transfer))
                group.create_task(self._each_minute(ABANDON_AFTER_S, self._abandonment))
        finally:
            for errand in self._errands:
                errand.cancel()
            await asyncio.gather(*self._errands, return_exceptions=True)

    async def _arrivals(self) -> None:
        while True:
            if len(self._board.waiting) < WAITING_MOST:
                state = random.choice(FOR_ROBOTS if self._board.human_at_work() else tuple(OrderState))
                self._send(Errand(self._stranger(state), state, questions=random.choice((1, 2, 2, 3))))
            await asyncio.sleep(min(3 * ARRIVALS_S, random.expovariate(1 / ARRIVALS_S)))

    async def _each_minute(self, after_s: float, event: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(after_s)
        while True:
            await event()
            await asyncio.sleep(MINUTE_S)

    async def _returning(self) -> None:
        if self._known:
            person = self._known.popleft()
            state = random.choice(FOR_ROBOTS)
            again = Person(person.external_id, person.name, orders=(_order(state),))
            self._send(Errand(again, state, questions=1))

    async def _transfer(self) -> None:
        for robot in random.sample(self._robots, len(self._robots)):
            colleagues = [one.account_id for one in self._robots if one is not robot]
            try:
                if await robot.transfer_one(colleagues):
                    return
            except (RequestError, LinkDown, LinkEnded):
                continue  # it ended meanwhile, or the colleague left: ask the next

    async def _abandonment(self) -> None:
        for number in range(BURST):
            state = random.choice((OrderState.PAID_UNSHIPPED, OrderState.SHIPPED_UNSIGNED))
            patience_s = PATIENCE_S if number == BURST - 1 else MINUTE_S
            self._send(Errand(self._stranger(state), state, questions=1, patience_s=patience_s))

    def _stranger(self, state: OrderState) -> Person:
        orders = () if state is OrderState.NO_ACTIVE_ORDER else (_order(state),)
        return Person(f"demo-{new_id()[-12:]}", random.choice(self._phrases.names), orders=orders)

    def _send(self, errand: Errand) -> None:
        door = self._doors[self._arrived % len(self._doors)]
        self._arrived += 1
        task = asyncio.create_task(self._errand(errand, door))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _errand(self, errand: Errand, door: Door) -> None:
        try:
            await Customer(errand, self._phrases, self._board).run(door, self._key)
        except RequestError as error:
            self._board.failed(f"{errand.person.name}: {error.reason}")
        except (LinkDown, LinkEnded, Unreachable, TimeoutError) as error:
            self._board.failed(f"{errand.person.name}: {error or type(error).__name__}")
        else:
            self._known.append(errand.person)


def _order(state: OrderState) -> Order:
    return Order(f"2026-{random.randrange(10**8):08d}", state.value)
