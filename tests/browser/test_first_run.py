"""A shop that was founded a minute ago: every page says what to do next, and leads there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.office import Office
from tests.browser.people import CORNERS, PHONE, Agent
from tests.browser.running_shop import RunningShop


@pytest.fixture
def office(shop: RunningShop) -> Iterator[Office]:
    """Nobody in it but its owner, as the terminal's set-up makes it."""
    office = Office(shop)
    yield office
    office.close()


class Owner(Agent):
    """On the first day."""

    @property
    def steps(self) -> Locator:
        """What is still to be done."""
        return self.page.get_by_role("region", name="开店准备")

    def step(self, name: str) -> Locator:
        return self.steps.get_by_role("listitem").filter(has=self.page.get_by_role("link", name=name))

    def follows(self, name: str) -> None:
        self.steps.get_by_role("link", name=name).click()

    def goes_to(self, place: str) -> None:
        self.page.get_by_role("navigation", name="Pointsman").get_by_role("link", name=place).click()


@pytest.mark.req("KS-04")
def test_a_new_shop_is_led_from_the_empty_workbench_to_its_first_agent(office: Office, opens: Opens) -> None:
    window = opens()
    owner = Owner(window)
    owner.comes_in(office.link("店主", "/work"))
    expect(owner.page.get_by_role("heading", name="您不是客服，不参与分流")).to_be_visible()
    expect(owner.steps.get_by_role("listitem")).to_have_count(3)
    assert window.barriers(CORNERS) == []

    owner.follows("添加客服账号")
    expect(owner.page.get_by_role("note")).to_contain_text("请为每位客服新建一个角色为“客服”的账号。")
    office.hires("小美", "agent")
    office.groups_as("售前组", "小美")

    owner.goes_to("会话")
    expect(owner.step("添加客服账号")).to_contain_text("已完成")
    expect(owner.step("建立分组")).to_contain_text("已完成")
    owner.follows("把咨询挂件放进网店")
    expect(owner.page.get_by_role("heading", level=1, name="网页挂件")).to_be_visible()
    rev = office.asks("GET", "/v1/settings/origins")["revs"]["widget"]
    origins = {"rev": rev, "origins": ["https://shop.example"]}
    office.asks("PUT", "/v1/settings/origins/widget", origins)

    owner.goes_to("会话")
    expect(owner.page.get_by_role("heading", name="您不是客服，不参与分流")).to_be_visible()
    owner.page.wait_for_load_state("networkidle")
    expect(owner.steps).to_have_count(0)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("监控墙", "您的权限范围内没有客服。"),
        ("客户", "您就是第一位客户"),
        ("报表", "有会话后，数据会显示在这里"),
    ],
)
def test_every_empty_page_says_what_comes_and_what_to_do(
    office: Office, opens: Opens, place: str, says: str
) -> None:
    window = opens()
    owner = Owner(window)
    owner.comes_in(office.link("店主", "/work"))
    owner.goes_to(place)
    expect(owner.page.get_by_role("main").get_by_text(re.compile(says))).to_be_visible()
    expect(owner.steps).to_be_visible()
    assert window.barriers(CORNERS) == []


def test_routing_without_groups_leads_to_them(office: Office, opens: Opens) -> None:
    page = office.settings(opens(), "店主", "routing")
    page.page.get_by_role("note").get_by_role("link", name="建立分组").click()
    page.is_at("groups")
    expect(page.page.get_by_text("还没有分组")).to_be_visible()


def test_who_is_offline_is_told_why_nothing_comes_and_goes_online_there(
    shop: RunningShop, opens: Opens
) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/work"))
    expect(lin.page.get_by_role("heading", name="您当前离线")).to_be_visible()
    lin.presses("上线")
    expect(lin.page.get_by_role("heading", name="等待下一位买家")).to_be_visible()
    expect(lin.status("在线")).to_have_attribute("aria-pressed", "true")
    lin.sets("挂起")
    expect(lin.page.get_by_role("heading", name="您已挂起")).to_be_visible()
    lin.presses("恢复在线")
    expect(lin.page.get_by_role("heading", name="等待下一位买家")).to_be_visible()


def test_a_wrong_address_says_so_and_leads_on(shop: RunningShop, opens: Opens) -> None:
    window = opens()
    lin = Agent(window).comes_in(shop.link(seed.HUMAN, "/no/such/page"))
    expect(lin.page.get_by_role("heading", name="页面不存在")).to_be_visible()
    assert window.barriers(CORNERS) == []
    lin.page.get_by_role("link", name="前往“会话”").click()
    expect(lin.list).to_be_visible()


def test_a_page_outside_of_ones_roles_says_so_and_leads_on(shop: RunningShop, opens: Opens) -> None:
    lin = Agent(opens()).comes_in(shop.link(seed.HUMAN, "/wall"))
    expect(lin.page.get_by_role("heading", name="您的角色没有此页面的权限。")).to_be_visible()
    lin.page.get_by_role("link", name="前往“会话”").click()
    expect(lin.list).to_be_visible()


def test_on_a_phone_the_bar_takes_two_lines_in_any_language(shop: RunningShop, opens: Opens) -> None:
    window = opens("en", "light", PHONE)
    boss = Agent(window).comes_in(shop.link(seed.ADMIN, "/me"))
    box = boss.page.get_by_role("banner").bounding_box()
    assert box is not None
    assert box["height"] < 100
    assert boss.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
