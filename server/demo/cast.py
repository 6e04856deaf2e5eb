"""The customers of the demo's shop page, one for each order state, and what they bought."""

from dataclasses import dataclass
from typing import Final

from protocol.states import OrderState

Words = tuple[str, str, str]
"""in English, in Chinese as written in the mainland, and in Taiwan"""
LANGUAGES: Final = ("en", "zh-CN", "zh-TW")


@dataclass(frozen=True, slots=True)
class Bought:
    """An order."""

    order: str
    state: OrderState
    product: str
    """as the shop page knows it, which has its picture"""
    title: Words
    amount: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer whom the shop knows."""

    key: str
    name: Words
    tags: tuple[str, ...] = ()
    orders: tuple[Bought, ...] = ()
    days: int = 0
    """since the first order that was paid; 0: none was"""


KETTLE: Final = ("Gooseneck kettle", "手冲细口壶", "手沖細口壺")
CUPS: Final = ("Porcelain cups, set of four", "白瓷茶杯四件套", "白瓷茶杯四入組")
LAMP: Final = ("Desk lamp", "护眼台灯", "護眼檯燈")
BAG: Final = ("Canvas tote bag", "帆布托特包", "帆布托特包")
BEANS: Final = ("Yunnan coffee beans, 250 g", "云南咖啡豆 250 克", "雲南咖啡豆 250 克")

BUYERS: Final = (
    # First the one whose questions go to the after-sale group, where whoever tries the desk sits alone.
    Buyer(
        "xiaoyu",
        ("Alice", "小雨", "小雨"),
        ("VIP",),
        (
            Bought("A-20471", OrderState.AFTER_SALE, "kettle", KETTLE, "¥ 268.00"),
            Bought("A-19820", OrderState.TRADE_DONE, "beans", BEANS, "¥ 79.00"),
        ),
        420,
    ),
    Buyer("haoran", ("Ben", "浩然", "浩然")),
    Buyer(
        "siqi",
        ("Carol", "思琪", "思琪"),
        (),
        (Bought("A-20533", OrderState.PLACED_UNPAID, "cups", CUPS, "¥ 129.00"),),
    ),
    Buyer(
        "zimo",
        ("Daniel", "子墨", "子墨"),
        (),
        (Bought("A-20518", OrderState.PAID_UNSHIPPED, "lamp", LAMP, "¥ 199.00"),),
        1,
    ),
    Buyer(
        "yutong",
        ("Emma", "雨桐", "雨桐"),
        (),
        (Bought("A-20490", OrderState.SHIPPED_UNSIGNED, "bag", BAG, "¥ 89.00"),),
        35,
    ),
    Buyer(
        "jiahao",
        ("Frank", "嘉豪", "嘉豪"),
        (),
        (Bought("A-20311", OrderState.TRADE_DONE, "cups", CUPS, "¥ 129.00"),),
        210,
    ),
)
