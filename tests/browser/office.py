"""A shop of its own for one test, empty but for its owner, and the settings pages as somebody in it uses them."""

from __future__ import annotations

import re
import secrets
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from protocol.ids import AccountId
from tests.browser.people import Window
from tests.browser.running_shop import RunningShop

PAGES = {
    "routing": "分流设置",
    "quick_replies": "快捷回复",
    "rules": "自动化规则",
    "workbench": "工作台",
    "collaboration": "协作设置",
    "endings": "结果标签与评价",
    "files": "文件类型",
    "groups": "分组与成员",
    "accounts": "账号",
    "roles": "角色与权限范围",
    "schedules": "排班",
    "holidays": "节假日",
    "widget": "网页挂件",
    "keys": "API 密钥",
    "configuration": "导入与导出",
    "wall": "监控墙阈值",
    "audit": "操作日志",
}


class Office:
    """The shop. What is only made ready for a test is asked over HTTP, by the owner."""

    def __init__(self, running: RunningShop, name: str = "一间新店") -> None:
        self._running = running
        made = running.backstage.do(running.found(f"office-{secrets.token_hex(4)}", name))
        self.shop_id = made.shop.id
        self.people: dict[str, str] = {"店主": made.owner.id}
        self.groups: dict[str, str] = {}
        answer = httpx.post(f"{running.a}/v1/auth/links", json={"link": self._link("店主")}, trust_env=False)
        self._http = httpx.Client(
            base_url=running.a,
            headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
            trust_env=False,
        )

    def close(self) -> None:
        """The owner goes home."""
        self._http.close()

    def asks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request of the owner's that must succeed; what it answers."""
        answer = self._http.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def hires(self, name: str, *roles: str, **more: Any) -> str:
        """A new account."""
        body = {"email": f"{secrets.token_hex(4)}@office.example", "name": name, "roles": list(roles), **more}
        self.people[name] = self.asks("POST", "/v1/accounts", body)["id"]
        return self.people[name]

    def groups_as(self, name: str, *members: str) -> str:
        """A new group of these people."""
        group = self.asks("POST", "/v1/groups", {"name": name})["id"]
        for member in members:
            self.asks("PUT", f"/v1/groups/{group}/members/{self.people[member]}")
        self.groups[name] = group
        return group

    def routes(self, **changed: Any) -> None:
        """Change routing settings."""
        now = self.asks("GET", "/v1/settings/routing")
        self.asks("PUT", "/v1/settings/routing", {"rev": now["rev"], "policy": {**now["policy"], **changed}})

    def _link(self, name: str) -> str:
        running = self._running
        return running.backstage.do(running.link_of(self.shop_id, AccountId(self.people[name])))

    def link(self, name: str, page: str, *, node: str | None = None) -> str:
        """An address that signs somebody of it in."""
        return f"{node or self._running.a}/desk/link/{self._link(name)}?next={page}"

    def settings(self, window: Window, who: str, page: str, *, node: str | None = None) -> SettingsPage:
        """Somebody of it at a page of the settings, in Chinese."""
        window.page.goto(self.link(who, f"/settings/{page}", node=node))
        expect(window.page.get_by_role("heading", level=1, name=PAGES[page])).to_be_visible()
        return SettingsPage(window)


class SettingsPage:
    """The settings in somebody's window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.page: Page = window.page

    @property
    def menu(self) -> Locator:
        return self.page.get_by_role("navigation", name="设置页面")

    @property
    def problem(self) -> Locator:
        return self.page.get_by_role("alert").first

    @property
    def question(self) -> Locator:
        """What is asked on top of the page."""
        return self.page.get_by_role("dialog")

    def turns_to(self, page: str) -> None:
        self.menu.get_by_role("link", name=PAGES[page], exact=True).click()

    def is_at(self, page: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=PAGES[page])).to_be_visible()

    def presses(self, word: str | re.Pattern[str]) -> None:
        self.page.get_by_role("main").get_by_role(
            "button", name=word, exact=isinstance(word, str)
        ).first.click()

    def answers(self, word: str) -> None:
        self.question.get_by_role("button", name=word, exact=True).click()

    def fills(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).fill(value)

    def saves(self) -> None:
        """What was changed here, and it is said that it holds."""
        self.presses("保存")
        expect(self.page.get_by_text("已保存")).to_be_visible()

    def within(self, legend: str) -> Locator:
        """The boxes under one name."""
        return self.page.get_by_role("group", name=f"{legend}已选")

    def opens_history(self) -> Locator:
        """What was changed on this page."""
        history = self.page.locator("details").filter(has=self.page.get_by_role("heading", name="变更历史"))
        history.get_by_role("heading", name="变更历史").click()
        return history.get_by_role("listitem")
