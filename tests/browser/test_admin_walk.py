"""An admin's day in the settings, each time in a shop that has just been made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.office import PAGES, Office
from tests.browser.people import CORNERS, Language
from tests.browser.running_shop import RunningShop


@pytest.fixture
def office(shop: RunningShop) -> Iterator[Office]:
    """A new shop, empty but for its owner."""
    office = Office(shop)
    yield office
    office.close()


@pytest.mark.req("GP-01", "KS-06", "KS-23")
def test_a_group_gets_members_and_an_order_state(office: Office, opens: Opens) -> None:
    office.hires("林小美", "agent")
    office.hires("周宁", "agent")
    office.routes(mode="grouped")
    desk = office.settings(opens(), "店主", "groups")
    expect(desk.page.get_by_text("还没有分组")).to_be_visible()
    desk.page.get_by_role("textbox", name="新分组名称").fill("售后组")
    desk.presses("添加")
    members = desk.within("成员")
    members.get_by_role("checkbox", name="林小美").check()
    members.get_by_role("checkbox", name="周宁").check()
    expect(members).to_contain_text("已选 2 项")
    desk.turns_to("routing")
    notice = desk.page.get_by_role("status").filter(has_text="“退款/售后”未绑定分组")
    expect(notice).to_be_visible()
    desk.within("退款/售后").get_by_role("checkbox", name="售后组").check()
    desk.saves()
    expect(notice).to_have_count(0)
    bound = office.asks("GET", "/v1/settings/routing")["policy"]["order_state_groups"]
    (group,) = office.asks("GET", "/v1/groups")["items"]
    assert bound == {"after_sale": [group["id"]]}
    assert len(office.asks("GET", f"/v1/groups/{group['id']}/members")["items"]) == 2


@pytest.mark.req("GP-02", "CO-06")
def test_an_own_role_reaches_the_own_groups_only(office: Office, opens: Opens) -> None:
    desk = office.settings(opens(), "店主", "roles")
    desk.page.get_by_role("textbox", name="新角色的标识").fill("night_shift")
    desk.presses("添加")
    desk.fills("显示名称", "夜班组长")
    desk.page.get_by_label("分配任意会话").select_option("所在分组")
    desk.presses("保存")
    expect(desk.page.get_by_role("button", name="夜班组长")).to_be_visible()
    desk.turns_to("accounts")
    desk.presses("新建账号")
    desk.fills("姓名", "王磊")
    desk.fills("邮箱", "wang@office.example")
    desk.within("角色").get_by_role("checkbox", name="夜班组长").check()
    desk.answers("保存")
    expect(desk.page.get_by_role("row", name="王磊")).to_contain_text("夜班组长")
    (role,) = [each for each in office.asks("GET", "/v1/roles")["items"] if each["role"] == "night_shift"]
    assert role["grants"] == {"conversation.assign": "groups"}


@pytest.mark.req("KS-10", "KS-14")
def test_an_excluded_account_on_the_offline_list_is_shown_as_void(office: Office, opens: Opens) -> None:
    office.hires("林小美", "agent")
    desk = office.settings(opens(), "店主", "routing")
    desk.page.get_by_role("switch", name="离线分流").check()
    desk.presses("保存")
    expect(desk.problem).to_contain_text("已开启离线分流但名单为空")
    desk.within("离线分流名单").get_by_role("checkbox", name="林小美").check()
    desk.saves()
    desk.turns_to("accounts")
    desk.page.get_by_role("button", name="修改: 林小美").click()
    desk.question.get_by_role("switch", name="不分流账号").check()
    desk.answers("保存")
    expect(desk.page.get_by_role("row", name="林小美")).to_contain_text("不分流账号")
    desk.turns_to("routing")
    expect(desk.page.get_by_text("林小美 是不分流账号，此处的设置在取消该标记前无效")).to_be_visible()


@pytest.mark.req("KS-22", "KS-23")
def test_a_dry_run_says_who_would_get_a_customer_and_why(office: Office, opens: Opens) -> None:
    office.hires("林小美", "agent")
    group = office.groups_as("售后组", "林小美")
    office.routes(mode="grouped", order_state_groups={"after_sale": [group]})
    desk = office.settings(opens(), "店主", "routing")
    desk.page.get_by_label("订单状态", exact=True).select_option("退款/售后")
    desk.presses("试算")
    steps = desk.page.get_by_role("form", name="分流试算：这位买家会由谁接待，为什么").get_by_role("listitem")
    expect(steps.first).to_contain_text("售后组")
    expect(steps.last).to_contain_text("退款/售后")


@pytest.mark.req("KS-23")
def test_every_page_tells_who_changed_what(office: Office, opens: Opens) -> None:
    desk = office.settings(opens(), "店主", "collaboration")
    history = desk.opens_history()
    expect(desk.page.get_by_text("还没有变更。")).to_be_visible()
    desk.fills("旁观者", "7")
    desk.saves()
    expect(history).to_have_count(1)
    expect(history).to_contain_text("店主")
    expect(history).to_contain_text("旁观者上限")
    expect(history.get_by_role("deletion")).to_have_text("20")
    expect(history.get_by_role("insertion")).to_have_text("7")
    for page in PAGES.keys() - {"routing", "workbench", "configuration", "wall", "audit"}:
        desk.turns_to(page)
        desk.is_at(page)
        expect(desk.page.get_by_role("heading", name="变更历史")).to_be_visible()


def test_what_is_not_saved_is_not_lost_by_a_slip(office: Office, opens: Opens) -> None:
    desk = office.settings(opens(), "店主", "collaboration")
    desk.fills("旁观者", "9")
    desk.turns_to("files")
    expect(desk.question).to_contain_text("有未保存的修改，确定离开吗？")
    assert desk.window.barriers(CORNERS) == []
    desk.answers("留在此页")
    desk.is_at("collaboration")
    expect(desk.page.get_by_label("旁观者", exact=True)).to_have_value("9")
    desk.turns_to("files")
    desk.answers("离开")
    desk.is_at("files")
    desk.turns_to("collaboration")
    expect(desk.page.get_by_label("旁观者", exact=True)).to_have_value("20")


@pytest.mark.req("KS-23")
@pytest.mark.parametrize(
    ("language", "at_most"), [("zh-CN", "不得大于 500"), ("en", "At most 500."), ("zh-TW", "不得大於 500")]
)
def test_a_refused_change_is_explained_at_its_field(
    office: Office, opens: Opens, language: Language, at_most: str
) -> None:
    page = opens(language).page
    page.goto(office.link("店主", "/settings/routing"))
    capacity = page.locator("#f-policy-default-capacity")
    capacity.fill("900")
    capacity.press("Control+s")
    expect(capacity).to_have_attribute("aria-invalid", "true")
    expect(capacity.locator("xpath=following-sibling::*[@role='alert']")).to_contain_text(at_most)
    expect(page.get_by_role("alert").first).to_be_visible()
    assert office.asks("GET", "/v1/settings/routing")["policy"]["default_capacity"] == 10


@pytest.mark.req("KS-23")
def test_of_two_admins_at_once_the_second_is_told(shop: RunningShop, office: Office, opens: Opens) -> None:
    office.hires("管理员甲", "admin")
    one = office.settings(opens(), "店主", "routing")
    two = office.settings(opens(), "管理员甲", "routing", node=shop.b)
    one.fills("默认接待上限", "20")
    one.saves()
    two.fills("默认接待上限", "30")
    two.presses("保存")
    expect(two.problem).to_contain_text("您编辑期间，店主 修改了这里的设置")
    expect(two.page.get_by_label("默认接待上限", exact=True)).to_have_value("30")
    two.page.get_by_text("查看差异").click()
    expect(two.problem.get_by_role("insertion")).to_have_text(["20", "30"])
    assert two.window.barriers(CORNERS) == []
    two.presses("采用对方的设置")
    expect(two.page.get_by_label("默认接待上限", exact=True)).to_have_value("20")


@pytest.mark.req("KS-23")
def test_who_was_slower_keeps_what_they_changed_beside_what_the_other_did(
    shop: RunningShop, office: Office, opens: Opens
) -> None:
    office.hires("管理员甲", "admin")
    one = office.settings(opens(), "店主", "collaboration")
    two = office.settings(opens(), "管理员甲", "collaboration", node=shop.b)
    one.fills("旁观者", "7")
    one.saves()
    two.fills("协作者", "30")
    two.presses("保存")
    expect(two.problem).to_contain_text("店主 修改了这里的设置")
    two.presses("保留我的修改")
    two.saves()
    held = office.asks("GET", "/v1/settings/collaboration")
    assert (held["watchers_max"], held["participants_max"]) == (7, 30)


@pytest.mark.req("GP-03", "CO-06")
def test_who_may_only_audit_comes_straight_to_the_audit(office: Office, opens: Opens) -> None:
    office.asks("PUT", "/v1/roles/auditor", {"name": "审计员", "grants": {"audit.view": "all"}, "rev": 0})
    office.hires("审计员小陈", "auditor")
    page = opens().page
    page.goto(office.link("审计员小陈", "/"))
    expect(page.get_by_role("heading", level=1, name="操作日志")).to_be_visible()
    places = page.get_by_role("navigation", name="Pointsman").get_by_role("link")
    expect(places).to_have_text(["设置"])
    expect(page.get_by_role("navigation", name="设置页面").get_by_role("link")).to_have_text(["操作日志"])
    expect(page.get_by_text("新增账号").first).to_be_visible()


@pytest.mark.req("GP-06")
def test_times_are_the_shops_whatever_zone_the_browser_is_in(office: Office, opens: Opens) -> None:
    lin = office.hires("林小美", "agent")
    office.routes(timezone="Asia/Tokyo")
    desk = office.settings(opens(zone="America/New_York"), "店主", "schedules")
    expect(desk.page.get_by_text("店铺时区：Asia/Tokyo, UTC+9").first).to_be_visible()
    desk.page.get_by_label("排班账号").select_option("林小美")
    desk.fills("截止时间", "2031-05-01T18:00")
    desk.presses("设为不在班")
    expect(desk.page.get_by_text("不在班", exact=True)).to_be_visible()
    assert office.asks("GET", f"/v1/accounts/{lin}/duty")["by_hand"]["until"] == "2031-05-01T09:00:00.000Z"
    expect(desk.page.get_by_text("2031年5月1日 18:00").first).to_be_visible()


@pytest.mark.req("GP-03", "PF-02")
def test_nothing_of_another_shop_is_ever_seen(shop: RunningShop, office: Office, opens: Opens) -> None:
    office.hires("林小美", "agent")
    office.groups_as("本店的组")
    other = Office(shop, "别家的店")
    other.hires("别家的客服", "agent")
    other.groups_as("别家的组", "别家的客服")
    other.close()
    desk = office.settings(opens(), "店主", "groups")
    expect(desk.page.get_by_role("button", name="本店的组")).to_be_visible()
    for page in ("accounts", "schedules", "routing", "audit", "groups"):
        desk.turns_to(page)
        desk.is_at(page)
        desk.page.wait_for_load_state("networkidle")
        expect(desk.page.get_by_text("别家")).to_have_count(0)
    strange = other.groups["别家的组"]
    answer = desk.page.request.get(f"{shop.a}/v1/groups/{strange}")
    assert answer.status in (401, 404)


def test_a_key_is_shown_once_and_revoked(office: Office, opens: Opens) -> None:
    desk = office.settings(opens(), "店主", "keys")
    expect(desk.page.get_by_text("还没有密钥。")).to_be_visible()
    desk.fills("用途", "订单系统")
    desk.within("权限").get_by_role("checkbox", name="写入订单").check()
    desk.presses("生成密钥")
    expect(desk.page.get_by_text("请立即复制")).to_be_visible()
    desk.page.get_by_role("button", name="吊销: 订单系统").click()
    assert desk.window.barriers(CORNERS) == []
    desk.question.get_by_role("button", name="吊销").click()
    expect(desk.page.get_by_role("row", name="订单系统")).to_contain_text("吊销")
    expect(desk.page.get_by_role("button", name="吊销: 订单系统")).to_have_count(0)


def test_no_page_of_the_settings_has_barriers(office: Office, opens: Opens) -> None:
    office.hires("林小美", "agent")
    desk = office.settings(opens(), "店主", "routing")
    for page in PAGES:
        desk.turns_to(page)
        desk.is_at(page)
        desk.page.wait_for_load_state("networkidle")
        assert desk.window.barriers(CORNERS) == [], page


def test_no_dialog_of_the_settings_has_barriers(office: Office, opens: Opens) -> None:
    desk = office.settings(opens(), "店主", "rules")
    for page, opening in (("rules", "新建规则"), ("accounts", "新建账号")):
        desk.turns_to(page)
        desk.presses(opening)
        expect(desk.question).to_be_visible()
        assert desk.window.barriers(CORNERS) == [], opening
        desk.page.keyboard.press("Escape")
        expect(desk.question).to_have_count(0)


@pytest.mark.req("KS-23")
def test_the_settings_come_out_as_a_file_and_go_in_after_a_look(
    office: Office, opens: Opens, tmp_path: Path
) -> None:
    desk = office.settings(opens(), "店主", "configuration")
    with desk.page.expect_download() as taken:
        desk.presses("下载 YAML")
    kept = tmp_path / "settings.yaml"
    taken.value.save_as(kept)
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text.replace("watchers_max: 20", "watchers_max: 0"), encoding="utf-8")
    choice = desk.page.locator("input[type=file]")
    choice.set_input_files(kept)
    expect(desk.problem).to_contain_text("collaboration.watchers_max 不得小于 1")
    kept.write_text(text.replace("watchers_max: 20", "watchers_max: 7"), encoding="utf-8")
    choice.set_input_files(kept)
    expect(desk.page.get_by_text("将修改 1 项设置")).to_be_visible()
    expect(desk.page.get_by_role("insertion")).to_have_text("7")
    assert desk.window.barriers(CORNERS) == []
    assert office.asks("GET", "/v1/settings/collaboration")["watchers_max"] == 20
    desk.presses("确认导入")
    expect(desk.page.get_by_text("设置已按文件更新")).to_be_visible()
    assert office.asks("GET", "/v1/settings/collaboration")["watchers_max"] == 7
