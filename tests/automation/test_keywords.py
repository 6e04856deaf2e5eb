"""Which texts hold a word (CO-07)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.automation.keywords import found_in

pytestmark = pytest.mark.req("CO-07")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("refund", "I want a REFUND!"),
        ("Refund", "refund"),
        ("退款", "我要退款吗"),
        ("refund", "我要refund吗"),  # no letter of its own kind beside it
        ("ＲＥＦＵＮＤ", "refund"),
        ("refund", "ｒｅｆｕｎｄ"),
        ("STRASSE", "in der Straße"),
        ("返金", "返金してください"),
        ("환불", "환불해 주세요"),
        ("คืนเงิน", "ขอคืนเงินครับ"),
        ("money back", "I want my money back."),
        ("24h", "within 24h?"),
        ("vip卡", "我的VIP卡丢了"),
        ("café", "CAFE\u0301"),
    ],
)
def test_it_is_found(word: str, text: str) -> None:
    assert found_in(word, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("fund", "refund"),
        ("refund", "refunds"),
        ("refund", "refund_id"),
        ("cat", "concatenate the cats"),
        ("退款", "退货款"),
        ("24", "2024"),
        ("cafe", "cafe\u0301"),
        ("refund", ""),
    ],
)
def test_it_is_not_found(word: str, text: str) -> None:
    assert not found_in(word, text)


@given(st.text(min_size=1, max_size=20), st.text(max_size=40), st.text(max_size=40))
def test_a_word_between_spaces_is_always_found(word: str, before: str, after: str) -> None:
    word = word.strip()
    if word:
        assert found_in(word, f"{before} {word} {after}")
