"""What is said in the pictures, in the language of the shop that stands for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.browser.people import Language

Speech = Literal["zh", "en"]
Called = tuple[str, str, str, str, str, tuple[str, ...]]
"""A customer: name, state and number of the order, what was ordered, its price, their words."""


@dataclass(frozen=True, slots=True)
class Story:
    """One language's words. `answered` is what agents say to the customer that was just read."""

    language: Language
    shop: str
    asked: str
    """what the customer wants whose conversation the pictures of the workbench show"""
    inspected: str
    impatient: str
    refunded: str
    note: str
    mentioned: str
    works: tuple[str, str]
    wrong: str
    draft: str
    earlier: Called
    earlier_answer: str
    callers: tuple[Called, ...]
    waiting: tuple[Called, ...]
    ships: str
    cracked: str
    smaller: str
    smaller_answer: str
    engraved: str
    reserved: str
    invoice: str
    invoice_more: str


LONG_NAME: Called = (
    "Margaret Featherstonehaugh-Cholmondeley", "after_sale", "A-20467", "Desk lamp", "¥ 199.00",
    ("Hello, my parcel arrived with the shade broken and I would like to know how long a replacement takes, please.",),
)  # fmt: skip
ZH = Story(
    language="zh-CN",
    shop="一间小店",
    asked="我的退货到哪一步了？",
    inspected="您好小雨，包裹昨天已经签收，仓库正在验货。",
    impatient="大概什么时候能退款？壶嘴这里本来就是歪的。",
    refunded="验货通过后一个工作日内原路退回。",
    note="@{who} 壶嘴歪斜是这批货的通病吗？验货时留意一下。",
    mentioned="林小美",
    works=("向仓库确认验货结果", "退款后回访"),
    wrong="发错了一句",
    draft="验货结果一小时内告诉您。",
    earlier=("若溪", "trade_done", "A-20111", "护眼台灯", "¥ 199.00", ("发票开好了吗？",)),
    earlier_answer="已经开好，稍后发到您的邮箱。",
    callers=(
        ("嘉豪", "trade_done", "A-20311", "白瓷茶杯四件套", "¥ 129.00",
         ("杯子有一只磕了边，能补发吗？", "照片我稍后发。")),
        ("梓涵", "after_sale", "A-20466", "护眼台灯", "¥ 199.00", ("台灯会闪，换新还是维修？",)),
        LONG_NAME,
        ("一诺", "trade_done", "A-20287", "帆布托特包", "¥ 89.00", ("包的肩带可以单独买吗？",)),
    ),
    waiting=(
        ("思远", "after_sale", "A-20470", "手冲细口壶", "¥ 268.00", ("退款三天了还没到账，麻烦看一下。",)),
        ("若曦", "trade_done", "A-20255", "云南咖啡豆 250 克", "¥ 79.00", ("豆子可以换成深烘的吗？",)),
        ("俊熙", "after_sale", "A-20472", "白瓷茶杯四件套", "¥ 129.00", ("想改成换货，还来得及吗？",)),
        ("可欣", "trade_done", "A-20251", "帆布托特包", "¥ 89.00", ("拉链坏了怎么办？",)),
    ),
    ships="明天能发货吗？",
    cracked="杯子有裂纹，可以换吗？",
    smaller="这款壶有小一号的吗？想买 {n} 把送人。",
    smaller_answer="有的，600 毫升那一款，今天下单今天发货。",
    engraved="是这一款吗？壶身刻字要另外加钱吗？",
    reserved="还需要我为您留一件吗？",
    invoice="请问可以开发票吗？",
    invoice_more="抬头稍后发您。",
)  # fmt: skip
EN = Story(
    language="en",
    shop="A small shop",
    asked="How far is my return?",
    inspected="Hello Alice, your parcel arrived yesterday and is being inspected.",
    impatient="When will I get the money back? The spout was crooked from the start.",
    refunded="Within one working day of the inspection, the way you paid.",
    note="@{who} Is a crooked spout a fault of the whole batch? Please have an eye on it.",
    mentioned="Lin",
    works=("Ask the warehouse about the inspection", "Call back after the refund"),
    wrong="This was for somebody else",
    draft="You will hear from me within the hour.",
    earlier=("Sophie", "trade_done", "A-20111", "Desk lamp", "¥ 199.00", ("Is my invoice ready?",)),
    earlier_answer="It is; you will find it in your mailbox in a minute.",
    callers=(
        ("Daniel", "trade_done", "A-20311", "Porcelain cups, set of four", "¥ 129.00",
         ("One of the cups is chipped, can you send another?", "I will send a photo in a moment.")),
        ("Emma", "after_sale", "A-20466", "Desk lamp", "¥ 199.00", ("The lamp flickers: a new one, or a repair?",)),
        LONG_NAME,
        ("Oliver", "trade_done", "A-20287", "Canvas tote bag", "¥ 89.00", ("Can I buy the strap by itself?",)),
    ),
    waiting=(
        ("Henry", "after_sale", "A-20470", "Gooseneck kettle", "¥ 268.00", ("My refund is three days late.",)),
        ("Grace", "trade_done", "A-20255", "Yunnan coffee beans, 250 g", "¥ 79.00", ("Do you have a darker roast?",)),
        ("Lucas", "after_sale", "A-20472", "Porcelain cups, set of four", "¥ 129.00", ("Can I still swap them?",)),
        ("Chloe", "trade_done", "A-20251", "Canvas tote bag", "¥ 89.00", ("The zip is broken, what now?",)),
    ),
    ships="Will it ship tomorrow?",
    cracked="One of my cups has a crack. Can I swap it?",
    smaller="Is there a smaller one of this kettle? I would take {n}.",
    smaller_answer="There is: 600 ml. Ordered today, it leaves today.",
    engraved="Is it this one? Does an engraving cost extra?",
    reserved="Shall I put one aside for you?",
    invoice="Can I have an invoice?",
    invoice_more="The name for it comes in a moment.",
)  # fmt: skip
STORIES: dict[Speech, Story] = {"zh": ZH, "en": EN}
