"""What the sample bot says, and when it hands over."""

import pytest

from server.demo.bot import Answer, HandOff, decide


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Can I get an invoice?", "The invoice comes by e-mail with the parcel."),
        ("可以开发票吗？", "电子发票随包裹发到您的邮箱。"),
        ("When does it SHIP?", "It ships within 24 hours of the payment."),
        ("怎么退货？", "签收后 7 天内可以无理由退货。"),
    ],
)
def test_it_answers_what_it_knows_in_the_customers_language(text: str, answer: str) -> None:
    assert decide(text) == Answer(answer)


@pytest.mark.req("KS-17")
@pytest.mark.parametrize("text", ["转人工", "I want a human", "Let me talk to a person about my invoice"])
def test_it_hands_over_when_asked_to(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, HandOff)
    assert decision.reason == "asked for a person"


@pytest.mark.req("KS-17")
@pytest.mark.parametrize("text", ["Why is the sky blue?", "", "这个多少钱"])
def test_it_hands_over_what_it_does_not_know(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, HandOff)
    assert decision.reason == "the bot does not know"
