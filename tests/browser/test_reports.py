"""A supervisor and the day: what the reports say, on the page and in the files, is what happened."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, expect

from server.demo import seed
from tests.browser.conftest import Opens
from tests.browser.people import Agent, Visitor
from tests.browser.running_shop import RunningShop
from tests.spreadsheet import rows_of

Cells = dict[str, str]


class Supervisor(Agent):
    """At the reports page."""

    def takes(self, which: str, form: Literal["CSV", "Excel（XLSX）"]) -> bytes:
        """Downloads a file; what is in it."""
        group = self.page.get_by_role("group", name=which, exact=True)
        with self.page.expect_download() as download:
            group.get_by_role("button", name=form).click()
        expect(group.get_by_text("已下载")).to_be_visible()
        return Path(download.value.path()).read_bytes()

    def figures(self) -> Cells:
        """The shop's figures of the whole time, from the CSV; all zero when nothing happened."""
        if self.page.get_by_text("这段时间没有数据。").is_visible():
            return {}
        (line,) = table(self.takes("下载明细", "CSV"))
        return line

    def tile(self, name: str) -> Locator:
        return self.page.get_by_role("region", name="合计").locator("dl > div").filter(has_text=name)

    def comes_to_the_reports(self, shop: RunningShop) -> Supervisor:
        self.comes_in(shop.link(seed.SUPERVISOR, "/reports"))
        self.page.goto(f"{shop.a}/desk/reports?step=total")
        expect(self.page.get_by_role("region", name="合计")).to_be_visible()
        return self


def table(data: bytes) -> list[Cells]:
    text = data.decode("utf-8-sig")
    assert data.startswith(b"\xef\xbb\xbf"), "Excel would not see that it is UTF-8"
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.req("GP-05")
def test_reports_say_what_the_day_did_on_the_page_and_in_files(shop: RunningShop, opens: Opens) -> None:
    boss = Supervisor(opens()).comes_to_the_reports(shop)
    before = boss.figures()

    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("我的退货到哪一步了？")
    asked = lin.gets("我的退货到哪一步了？")
    lin.says(asked, "已经收到包裹，今天退款。")
    visitor.sees("已经收到包裹，今天退款。")
    lin.ends(asked, "solved")
    lin.sees_closed(asked)

    boss.page.reload()
    now = {
        name: int(before.get(name) or 0) + 1 for name in ("新会话", "已结束会话", "客服消息", "每次回复 次数")
    }
    expect(boss.tile("新会话").locator(".value")).to_have_text(str(now["新会话"]))
    after = boss.figures()
    assert {name: int(after[name]) for name in now} == now

    # Compared with the seven days before, in which nothing happened.
    boss.page.get_by_role("combobox", name="对比").select_option("上一周期")
    expect(boss.tile("新会话")).to_contain_text(re.compile(rf"多 {now['新会话']}\s*对比周期：0"))
    expect(boss.page.get_by_text(re.compile(r"对比 \d{4}-\d\d-\d\d 至 \d{4}-\d\d-\d\d"))).to_be_visible()

    head, figures = rows_of(boss.takes("下载明细", "Excel（XLSX）"))
    assert {name: figures[head.index(name)] for name in now} == now

    lines = table(boss.takes("下载全部会话明细", "CSV"))
    (mine,) = [line for line in lines if line["会话编号"] == asked.conversation_id]
    assert (mine["客服"], mine["客户"], mine["会话状态"], mine["结果"]) == (
        "林小美",
        "小雨",
        "已关闭",
        "已回复",
    )
    assert (mine["回复次数"], mine["客户消息"], mine["客服消息"], mine["转接次数"]) == ("1", "1", "1", "0")
    assert len(lines) == now["新会话"]
    outcomes = [line for line in table(boss.takes("下载结果统计", "CSV")) if line["类别"] == "结果标签"]
    assert {line["总数"] for line in outcomes} == {str(now["已结束会话"])}
    shown = boss.page.get_by_role("region", name="结果与评价原因")
    assert "已解决" in {line["标签或原因"] for line in outcomes}
    expect(shown.get_by_role("rowheader", name="已解决")).to_be_visible()
    head, *sheet = rows_of(boss.takes("下载全部会话明细", "Excel（XLSX）"))
    assert {row[head.index("会话编号")] for row in sheet} == {line["会话编号"] for line in lines}


@pytest.mark.req("GP-05")
def test_conversations_are_narrowed_down_on_the_page_and_in_the_file_alike(
    shop: RunningShop, opens: Opens
) -> None:
    lin = shop.colleague(seed.HUMAN)
    visitor = Visitor(opens()).comes_to(shop.b).opens_the_chat()
    visitor.writes("在吗？")
    lin.says(lin.gets("在吗？"), "在的。")
    visitor.sees("在的。")
    boss = Supervisor(opens()).comes_to_the_reports(shop)
    panel = boss.page.get_by_role("region", name="会话明细")

    panel.get_by_role("combobox", name="会话状态").select_option("接待中")
    panel.get_by_role("combobox", name="客服").select_option("林小美")
    rows = panel.get_by_role("row").filter(has_text="小雨")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("未结束")
    assert len(table(boss.takes("下载全部会话明细", "CSV"))) == 1

    panel.get_by_role("combobox", name="满意度").select_option("1 星")
    expect(panel.get_by_text("没有符合条件的会话。")).to_be_visible()
    panel.get_by_role("button", name="清除筛选").click()
    expect(rows.first).to_be_visible()
