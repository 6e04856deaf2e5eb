"""Getting into the desk: with a password, with a link of the demo, and not at all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.running_shop import RunningShop


def signs_in(page: Page, password: str = seed.PASSWORD) -> None:
    page.get_by_label("店铺").fill(seed.SHOP)
    page.get_by_label("邮箱").fill(seed.SUPERVISOR.email)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()


def test_a_password_leads_to_where_one_wanted(shop: RunningShop, opens: Opens) -> None:
    page = opens().page
    page.goto(f"{shop.a}/desk/wall")
    expect(page).to_have_url(re.compile("/desk/sign-in"))
    signs_in(page)
    expect(page).to_have_url(f"{shop.a}/desk/wall")
    expect(page.get_by_text("主管").first).to_be_visible()


@pytest.mark.req("TK-16")
def test_a_wrong_password_is_told_and_nothing_is_kept(shop: RunningShop, opens: Opens) -> None:
    page = opens().page
    page.goto(f"{shop.a}/desk/")
    signs_in(page, "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"{shop.a}/desk/wall")
    expect(page).to_have_url(re.compile("/desk/sign-in"))


def test_a_link_signs_in_once_and_two_people_sit_side_by_side(shop: RunningShop, opens: Opens) -> None:
    first, second = opens().page, opens().page
    link = shop.link(seed.SUPERVISOR, "/wall")
    first.goto(link)
    expect(first).to_have_url(f"{shop.a}/desk/wall")
    second.goto(link)
    expect(second.get_by_role("alert")).to_be_visible()
    beside = first.context.new_page()
    beside.goto(shop.link(seed.ADMIN, "/settings"))
    expect(beside.get_by_text("管理员").first).to_be_visible()
    first.reload()
    expect(first.get_by_text("主管").first).to_be_visible()
    beside.close()
