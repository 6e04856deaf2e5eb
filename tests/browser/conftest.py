"""A browser, two nodes with the built pages, and windows that may say no error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from server.demo import seed
from server.demo.nodes import NodeProcess
from server.embedded.binaries import find_redis
from server.embedded.redis_process import RedisProcess
from server.embedded.workspace import Workspace
from server.http.pages import FOLDER
from server.store.migrate import migrate
from tests.browser.backstage import Backstage
from tests.browser.faulty_line import FaultyLine
from tests.browser.people import CHROMIUM, DESKTOP, FLAGS, Agent, Language, Scheme, Visitor, Window
from tests.browser.running_shop import RunningShop
from tests.live_servers import LivePostgres, preferred


class Opens(Protocol):
    """Opens a window; one that an error was told in fails the test at its end."""

    def __call__(
        self,
        language: Language = "zh-CN",
        scheme: Scheme = "light",
        size: ViewportSize = DESKTOP,
        zone: str = "Asia/Shanghai",
    ) -> Window: ...


@pytest.fixture(scope="session")
def running_shop(postgres: LivePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    """The demo's shop on two nodes, for all browser tests of this process."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    if not (FOLDER / "desk" / "index.html").is_file():
        pytest.skip("the pages are not built (make web)")
    # A Redis of its own: the other tests of this process empty theirs.
    backstage = Backstage()
    place = Workspace.temporary()
    redis = backstage.do(RedisProcess.start(find_redis(preferred()), place))
    url = postgres.create(postgres.template("migrated", migrate))
    shop = RunningShop.start(backstage, url, redis.url_of(0), tmp_path_factory.mktemp("browser"))
    yield shop
    shop.stop()
    backstage.do(redis.aclose())
    backstage.close()
    place.release()
    postgres.drop(url)


@pytest.fixture
def shop(running_shop: RunningShop) -> Iterator[RunningShop]:
    """The shop, with nobody in it."""
    yield running_shop
    running_shop.everybody_leaves()


@pytest.fixture(scope="package")
def browser(running_shop: RunningShop) -> Iterator[Browser]:
    """A browser without a window. For the tests of this folder: others need this thread's event loop for themselves."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opens(shop: RunningShop, browser: Browser) -> Iterator[Opens]:
    """Opens windows."""
    windows: list[Window] = []

    def opened(
        language: Language = "zh-CN",
        scheme: Scheme = "light",
        size: ViewportSize = DESKTOP,
        zone: str = "Asia/Shanghai",
    ) -> Window:
        windows.append(Window.open(browser, language, scheme, size, zone))
        return windows[-1]

    yield opened
    for window in windows:
        window.close()
    assert [fault for window in windows for fault in window.faults] == []


@pytest.fixture
def line(shop: RunningShop) -> Iterator[FaultyLine]:
    """A line to the second node that the test may cut, whose address the shop trusts."""
    line = FaultyLine.lay(shop.backstage, [shop.ports[1]])
    shop.trusts(line.address)
    yield line
    line.take_down()


@pytest.fixture
def spare(shop: RunningShop) -> Iterator[NodeProcess]:
    """A third node, a process of its own, that the test may kill."""
    node = shop.another_node()
    yield node
    node.drain()
    shop.backstage.do(node.ended())


@pytest.fixture
def balancer(shop: RunningShop, spare: NodeProcess) -> Iterator[FaultyLine]:
    """One address in front of the spare node, and of the second one when that is gone."""
    line = FaultyLine.lay(shop.backstage, [spare.port, shop.ports[1]])
    shop.trusts(line.address)
    yield line
    line.take_down()


@pytest.fixture
def zhou(shop: RunningShop, opens: Opens) -> Agent:
    """At the desk, online; five slots."""
    return Agent(opens()).comes_in(shop.link(seed.SECOND_HUMAN, "/work")).is_online()


@pytest.fixture
def visitor(shop: RunningShop, opens: Opens, zhou: Agent) -> Visitor:
    """Has asked Zhou, whose desk shows it."""
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("你好")
    zhou.opens("小雨")
    zhou.sees("你好")
    return visitor
