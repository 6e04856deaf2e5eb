"""Quick replies as text: what they may say, what they are found by, and the table of many."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.ids import ShopId
from protocol.variables import filled, missing, unknown
from server.services.pinyin import keys_of
from server.services.quick_reply_text import Draft, draft_of, faults_of, read_table, written_table
from server.store.quick_replies import ReplyRow

HEADING = "shortcut,title,text,folder\n"


def row(**members: Any) -> ReplyRow:
    told = {"folder": "", "shortcut": "x", "title": "X", "text": "x", **members}
    return ReplyRow(
        "1", ShopId("1"), None, None, pinyin="", initials="", rev=1, created_ms=0, changed_ms=0, **told
    )


# --- found by --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("title", "pinyin", "initials"),
    [
        ("发货", "fa huo", "fh"),
        ("重新发货", "chong xin fa huo", "cxfh"),
        ("银行行长", "yin hang hang zhang", "yhhz"),
        ("優惠券", "you hui quan", "yhq"),
        ("女装", "nv zhuang", "nz"),
        ("SF快递：单号 123", "sf kuai di dan hao 123", "sfkddh123"),
        ("Hello 你好", "hello ni hao", "hellonh"),
        ("😀", "", ""),
        ("", "", ""),
    ],
)
async def test_a_title_is_found_by_its_pinyin_and_by_the_initials(
    title: str, pinyin: str, initials: str
) -> None:
    (keys,) = await keys_of([title])
    assert (keys.pinyin, keys.initials) == (pinyin, initials)


# --- variables -------------------------------------------------------------------------------------------------------
def test_variables_are_filled_with_what_is_known() -> None:
    text = "{customer}您好，订单 {order_id} {order_state}。{customer}"
    assert missing(text) == ("customer", "order_id", "order_state")
    said = filled(text, {"customer": "小雨", "order_id": "", "shop": "一间小店"})
    assert said == "小雨您好，订单 {order_id} {order_state}。小雨"
    assert missing(said) == ("order_id", "order_state")
    assert filled("{order_state}", {"order_state": "{shop}", "shop": "no"}) == "{shop}"


def test_what_only_looks_like_a_variable_is_named() -> None:
    assert unknown("{custmer} {agent} {} {Customer} {微笑} {custmer}") == ("custmer",)


# --- in order --------------------------------------------------------------------------------------------------------
def test_what_somebody_wrote_is_put_in_order() -> None:
    assert draft_of(" 售后 // 退款 ", " /FH ", " 发货\u3000时间 ", "  您好\r\n再见 ") == Draft(
        "售后/退款", "fh", "发货 时间", "您好\n再见"
    )


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        (Draft("", "", "", ""), ["title", "text"]),
        (Draft("", "a b", "t", "x"), ["shortcut"]),
        (Draft("", "a/b", "t", "x"), ["shortcut"]),
        (Draft("a/b/c/d/e/f", "a", "t", "x"), ["folder"]),
        (Draft("f" * 121, "s" * 33, "t" * 81, "x" * 2001), ["title", "text", "folder", "shortcut"]),
        (Draft("", "a", "t\x07", "x {custmer}"), ["title", "text"]),
        (Draft("a/b/c/d/e", "发货", "t", "x\n{customer}"), []),
    ],
)
def test_everything_wrong_is_said(draft: Draft, fields: list[str]) -> None:
    assert [fault.field for fault in faults_of(draft)] == fields


def test_a_table_needs_its_shortcuts() -> None:
    assert [fault.field for fault in faults_of(Draft("", "", "t", "x"), named=True)] == ["shortcut"]


# --- tables ----------------------------------------------------------------------------------------------------------
def test_a_table_is_read_in_whatever_order_its_columns_stand() -> None:
    drafts, faults = read_table("\ufeff内容,分类,标题,快捷词\r\n您好,售前,问候,hi\r\n\r\n再见,,告别,bye\r\n")
    assert faults == []
    assert drafts == [Draft("售前", "hi", "问候", "您好"), Draft("", "bye", "告别", "再见")]


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_spreadsheets_put_what_they_like_between_cells(comma: str) -> None:
    table = "\n".join(comma.join(cells) for cells in (["shortcut", "title", "text"], ["a", "A", "words"]))
    assert read_table(table) == ([Draft("", "a", "A", "words")], [])


def test_every_fault_of_a_table_is_told_with_its_line() -> None:
    table = (
        HEADING
        + 'a,A,"two\nlines",\n'  # lines 2 and 3
        + "A,again,x,\n"  # 4
        + ",none,x,\n"  # 5
        + "b,,{custmer},\n"  # 6
    )
    drafts, faults = read_table(table)
    assert len(drafts) == 4
    assert [(fault.line, fault.field) for fault in faults] == [
        (4, "shortcut"),
        (5, "shortcut"),
        (6, "title"),
        (6, "text"),
    ]
    assert faults[0].problem == "line 2 has the same shortcut"


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        ("", ["table"]),
        ("\n\n", ["table"]),
        (HEADING, ["table"]),
        ("shortcut,words\na,b\n", ["title", "text"]),
        (HEADING + '"a,b\n', ["table"]),
    ],
)
def test_what_is_no_table_is_refused(table: str, fields: list[str]) -> None:
    assert [fault.field for fault in read_table(table)[1]] == fields


def test_what_was_written_is_read_again_and_calculates_nothing() -> None:
    rows = [
        row(shortcut="a", text='two\nlines, "quoted"', folder="售后/退款"),
        row(shortcut="=1", title="+2", text="-3"),
        row(shortcut="@b", title="'quoted'", text="x"),
    ]
    table = written_table(rows)
    assert table.startswith("\ufeffshortcut,title,text,folder\r\n")
    assert "\n'=1,'+2,'-3," in table
    drafts, faults = read_table(table)
    assert faults == []
    assert [(d.shortcut, d.title, d.text, d.folder) for d in drafts] == [
        (r.shortcut, r.title, r.text, r.folder) for r in rows
    ]
