"""`pointsman demo` from start to end: servers, schema, nodes, shop, people, board; and everything back again."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from shutil import which
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.live import Live

from protocol.errors import RequestError
from protocol.methods.conversations import AssignParams, ConversationResult, ListParams, ListResult
from protocol.states import Life
from server import setup
from server.chat.door import Door, SignIn
from server.chat.language import Language
from server.chat.link import Link, LinkEnded
from server.demo import seed as shop
from server.demo.board import Board, Decided, Served
from server.demo.board_view import PlainLines, draw
from server.demo.links import links, table
from server.demo.nodes import NodeFailed, NodeProcess
from server.demo.phrases import Phrases
from server.demo.phrases import load as load_phrases
from server.demo.robot import Robot
from server.demo.traffic import Traffic
from server.demo.watcher import Watcher
from server.embedded import servers
from server.embedded.binaries import Prefer
from server.embedded.ports import is_free
from server.settings import DEMO_SECRET, Settings, load
from server.store.migrate import migrate

T = TypeVar("T")

STEPS: Final = 5  # servers, migrate, nodes, seed, people
ONCE_WITHIN_S: Final = 60.0
NAME: Final = "pointsman-demo"


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for."""

    state_dir: Path
    database_url: str | None = None
    redis_url: str | None = None
    prefer: Prefer = "auto"
    port: int = 8000
    once: bool = False
    duration_s: float | None = None
    bot: bool = False
    customers: bool = True


class Demo:
    """One run. `run` returns when it is over: time is up, one conversation was served (`once`), or Ctrl+C."""

    def __init__(self, wishes: Wishes, words: Language) -> None:
        self._wishes = wishes
        self._words = words
        self._console = Console(highlight=False)
        self._plain = PlainLines(words, self._say)
        self._board = Board(self._decided, self._served)
        self._seen = asyncio.Event()
        self._stop = asyncio.Event()
        self._step = 0

    async def run(self) -> None:
        """The whole demo. Raises `DemoFailed`, `EmbeddedServerError`, `NodeFailed`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        began = 0.0
        async with AsyncExitStack() as undo:
            play = asyncio.create_task(self._play(undo))
            stop = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait([play, stop], return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.cancel()
                began = time.monotonic()
                self._say(self._words("demo.draining"))
                play.cancel()
                await asyncio.gather(play, return_exceptions=True)
        if not play.cancelled():
            play.result()
        self._say(self._words("demo.drained", seconds=f"{time.monotonic() - began:.1f}"))

    # --- the start, step by step ---------------------------------------------------------------------------------

    async def _play(self, undo: AsyncExitStack) -> None:
        wishes, words = self._wishes, self._words
        self._say(words("demo.title"))
        wishes.state_dir.mkdir(parents=True, exist_ok=True)
        running = await self._did("servers", self._servers(undo), lambda _: words("demo.servers_done"))
        for line in running.describe():
            self._say(f"      {line}")
        settings = load(
            demo=True,
            secret=DEMO_SECRET,
            database_url=running.database_url,
            redis_url=running.redis_url,
            files=str((wishes.state_dir / "files").resolve()),
            # Nobody but us is connected to these nodes: they may say goodbye to all at once.
            drain_wave_percent=100,
        )
        await self._did(
            "migrate",
            migrate(running.database_url),
            lambda done: (
                words("demo.migrate_done", count=len(done)) if done else words("demo.migrate_current")
            ),
        )
        nodes = await self._did(
            "nodes",
            self._nodes(settings, undo),
            lambda made: words("demo.nodes_done", ports=", ".join(str(node.port) for node in made)),
        )
        doors = [await undo.enter_async_context(Door(node.url)) for node in nodes]
        seeded = await self._did(
            "seed",
            self._seed(settings, doors[0], nodes),
            lambda _: words(
                "demo.seed_done", agents=len(shop.ROBOTS) + len(shop.HUMANS), groups=len(shop.TEAMS), states=6
            ),
        )
        await self._tell_links(settings, seeded, nodes)
        self._board.humans = frozenset(seeded.accounts[person.key] for person in shop.HUMANS)
        serving = {shop.BOT.key, *(person.key for person in (*shop.HUMANS, *shop.ROBOTS))}
        self._board.observers = frozenset(
            account for key, account in seeded.accounts.items() if key not in serving
        )
        await self._people(doors, seeded, nodes)

    async def _servers(self, undo: AsyncExitStack) -> servers.Servers:
        wishes = self._wishes
        running = await servers.start(
            state_dir=wishes.state_dir / "servers",
            database_url=wishes.database_url,
            redis_url=wishes.redis_url,
            prefer=wishes.prefer,
        )
        undo.push_async_callback(running.aclose)
        return running

    async def _nodes(self, settings: Settings, undo: AsyncExitStack) -> list[NodeProcess]:
        port = self._wishes.port
        if port and not (is_free(port) and is_free(port + 1)):
            port = 0  # one command shall do, whatever else runs here; the links say where
        nodes = [
            NodeProcess.spawn(settings, f"demo-{number + 1}", port and port + number, self._wishes.state_dir)
            for number in range(2)
        ]

        async def end() -> None:
            for node in nodes:
                node.drain()
            await asyncio.gather(*(node.ended() for node in nodes))

        undo.push_async_callback(end)
        await asyncio.gather(*(node.ready() for node in nodes))
        return nodes

    async def _seed(self, settings: Settings, door: Door, nodes: list[NodeProcess]) -> shop.Seeded:
        speech = "zh" if self._words.name.startswith("zh") else "en"
        async with setup.Setup(settings) as first:
            await first.ensure_shop(
                slug=shop.SHOP,
                name="Pointsman 演示店" if speech == "zh" else "Pointsman demo shop",
                owner=setup.Owner(shop.OWNER.email, shop.OWNER.names[speech], shop.PASSWORD),
            )
        return await shop.seed(
            door,
            language=self._words.name,
            ports=[node.port for node in nodes],
            folder=self._wishes.state_dir,
            bot=self._wishes.bot,
        )

    async def _did(self, name: str, work: Coroutine[Any, Any, T], outcome: Callable[[T], str]) -> T:
        self._step += 1
        what = self._words(f"demo.{name}")
        self._say(self._words("demo.step", n=self._step, of=STEPS, what=what))
        began = time.monotonic()
        result = await work
        seconds = f"{time.monotonic() - began:.1f}"
        done = outcome(result)
        self._say(
            self._words("demo.step_done", n=self._step, of=STEPS, what=what, outcome=done, seconds=seconds)
        )
        return result

    async def _tell_links(self, settings: Settings, seeded: shop.Seeded, nodes: list[NodeProcess]) -> None:
        first, second = nodes
        words = self._words
        key = self._wishes.state_dir / shop.KEY_FILE
        lang = f" --lang {words.name}"
        customer = f"{_program()} chat customer --url {second.url} --shop {shop.SHOP}"
        agent = f"{_program()} chat agent --url {first.url} --shop {shop.SHOP}"
        self._say("")
        self._say(words("demo.open"))
        redis_url = settings.redis_url.get_secret_value()
        for line in table(await links(words, seeded, redis_url, (first.url, second.url))):
            self._say(line)
        again = f"{first.url}/desk/"
        self._say(f"  {words('demo.links_once', url=again, shop=shop.SHOP, password=shop.PASSWORD)}")
        self._say(f"  {words('demo.link_protocol')}: {first.url}/openrpc.json  {first.url}/asyncapi.json")
        self._say(f"  {words('demo.link_health')}: {first.url}/readyz  {second.url}/metrics")
        self._say(f"  {words('demo.as_customer')}:\n      {customer}{lang}")
        self._say(
            f"  {words('demo.as_agent')}:\n      {agent} --email {shop.HUMAN.email} --password {shop.PASSWORD}{lang}"
        )
        name = "Alice" if words.name == "en" else "小雨"
        self._say(
            f"  {words('demo.as_full')}:\n      {customer} --identity-key {key} --name {name} "
            f"--order-state after_sale{lang}"
        )
        logins = ", ".join(person.email for person in (shop.OWNER, *shop.PEOPLE))
        self._say(f"  {words('demo.logins', password=shop.PASSWORD)}:\n      {logins}")
        self._say(f"  {words('demo.stop')}")
        self._say("")

    # --- the day -------------------------------------------------------------------------------------------------

    async def _people(self, doors: list[Door], seeded: shop.Seeded, nodes: list[NodeProcess]) -> None:
        phrases = load_phrases(self._words.name)
        async with AsyncExitStack() as links:
            robots = await self._did(
                "people",
                self._robots(doors, phrases, links),
                lambda made: self._words("demo.people_done", agents=len(made)),
            )
            await self._tidy(await self._enter(doors[1], shop.ADMIN, links), robots)
            watching = await self._enter(doors[0], shop.SUPERVISOR, links)
            traffic = Traffic(doors, seeded.identity, phrases, self._board)
            traffic.robots(robots)
            jobs = [
                traffic.run() if self._wishes.customers else asyncio.Event().wait(),
                Watcher(watching, self._board).run(),
                self._show(),
                self._until(nodes),
                *(robot.run() for robot in robots),
            ]
            tasks = [asyncio.create_task(job) for job in jobs]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except LinkEnded as error:
                raise DemoFailed(f"A robot lost its connection for good: {error}.") from None
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _robots(self, doors: list[Door], phrases: Phrases, links: AsyncExitStack) -> list[Robot]:
        robots: list[Robot] = []
        for number, person in enumerate(shop.ROBOTS):
            link = await self._enter(doors[number % len(doors)], person, links)
            robots.append(Robot(link, phrases, self._board))
        return robots

    async def _tidy(self, admin: Link, robots: list[Robot]) -> None:
        """Give what an earlier run left open to the robots, who say goodbye when nobody answers them."""
        page = await admin.ask("conversation.list", ListParams(scope="all", limit=200), ListResult)
        mine = {robot.account_id for robot in robots}
        left = [
            one
            for one in page.conversations
            if one.state in {Life.QUEUED, Life.ACTIVE} and (one.owner is None or one.owner.id not in mine)
        ]
        for one, robot in zip(left, cycle(robots), strict=False):
            params = AssignParams(conversation_id=one.conversation_id, account_id=robot.account_id)
            # Meanwhile taken, or closed: then it is not left any more.
            with suppress(RequestError):
                await admin.ask("conversation.assign", params, ConversationResult)

    async def _enter(self, door: Door, person: shop.Person, links: AsyncExitStack) -> Link:
        signed_in: SignIn = await door.sign_in(shop.SHOP, person.email, shop.PASSWORD)

        async def ticket() -> str:
            return await door.ticket(signed_in)

        link = Link(door.socket_url, ticket, name=NAME, origin=door.origin, sign_out=True)
        return await links.enter_async_context(link)

    async def _show(self) -> None:
        if not self._console.is_terminal:
            while True:
                self._plain.tick(self._board)
                await asyncio.sleep(1)
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(draw(self._words, self._board), refresh=True)
                await asyncio.sleep(0.5)

    async def _until(self, nodes: list[NodeProcess]) -> None:
        """Returns when the demo is over by itself. Raises when a node is gone, or nothing was served in time."""
        began = time.monotonic()
        while True:
            for node in nodes:
                if node.exit_code is not None:
                    lost = self._words("demo.node_lost", port=node.port, code=node.exit_code)
                    raise NodeFailed(f"{lost}\n{node.said()}")
            if self._wishes.once and self._seen.is_set():
                return
            age_s = time.monotonic() - began
            if self._wishes.once and age_s > ONCE_WITHIN_S:
                raise DemoFailed(
                    f"No conversation was served in {ONCE_WITHIN_S:g} s. {self._board.last_error}"
                )
            if self._wishes.duration_s is not None and age_s > self._wishes.duration_s:
                return
            await asyncio.sleep(0.1)

    def _decided(self, entry: Decided) -> None:
        if not self._console.is_terminal:
            self._plain.decided(entry)

    def _served(self, news: Served) -> None:
        self._seen.set()
        if not self._console.is_terminal:
            self._plain.served(news)

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)
        sys.stdout.flush()


def _program() -> str:
    """How `pointsman` is called in the reader's next terminal: its name if that is on the path, else where it is."""
    if which("pointsman") is not None:
        return "pointsman"
    beside = Path(sys.executable).parent / "pointsman"
    with suppress(ValueError):
        beside = beside.relative_to(Path.cwd())
    return str(beside)
