"""The demo's board as values and as lines."""

from __future__ import annotations

from protocol.shapes import AgentCard, Conversation, CustomerCard, Party, RoutingDecision, TriedTier
from protocol.states import AgentStatus, Life
from server.chat.language import load
from server.demo import board_view
from server.demo.board import Board, Decided, Served

AT = "2026-11-22T08:00:00.000Z"
LIN = Party(kind="agent", id="lin", name="Lin")


def decided(change: str = "assigned", reason: str | None = "any_online") -> Decided:
    conversation = Conversation(
        conversation_id="c1",
        rev=1,
        state=Life.ACTIVE,
        customer=CustomerCard(customer_id="k1", name="Alice"),
        owner=LIN,
        assign_epoch=1,
        order_state="after_sale",
        opened_at=AT,
        arrived_at=AT,
        head_seq=1,
    )
    tried = [
        TriedTier(tier="order_state_group", outcome="nobody_online"),
        TriedTier(tier="any_online", outcome="taken", agent=LIN),
    ]
    decision = RoutingDecision(
        at=AT, change=change, rev=1, assign_epoch=1, owner=LIN, reason=reason, tried=tried if reason else []
    )
    return Decided(conversation, decision)


def board(heard: list[Served]) -> Board:
    return Board(on_decision=lambda _: None, on_served=heard.append)


def test_a_served_conversation_is_told_with_its_reason_whichever_is_seen_first() -> None:
    heard: list[Served] = []
    early, late = board(heard), board(heard)
    early.decided(decided())
    early.served("c1", "Alice", "Lin")
    late.served("c1", "Alice", "Lin")
    late.decided(decided())
    assert heard == [Served("Alice", "Lin", "any_online")] * 2


def test_a_decision_is_one_line_with_its_reason_and_what_was_tried_before() -> None:
    line = board_view.told(load("en"), decided())
    assert line.endswith(
        "Alice (refund / after-sale): given to Lin - any online agent with room "
        "(rules tried: group of the order state: nobody is online)"
    )


def test_a_change_without_a_reason_is_told_without_one() -> None:
    assert board_view.told(load("en"), decided("ended", None)).endswith(
        "Alice (refund / after-sale): ended by Lin"
    )


def test_the_same_line_in_chinese() -> None:
    assert "分配给 Lin - 任意有空位的在线客服（尝试的规则：" in board_view.told(load("zh-CN"), decided())


def test_only_who_sits_at_the_desk_online_and_with_room_is_given_anybody() -> None:
    card = AgentCard(
        account_id="lin",
        name="Lin",
        status=AgentStatus.ONLINE,
        connected=True,
        counted_offline=False,
        availability="has_room",
        load=0,
        capacity=1,
    )
    shown = board([])
    shown.humans = frozenset({"lin"})
    shown.agents = [card]
    assert shown.human_with_room() == "lin"
    for other in ({"connected": False}, {"load": 1}, {"status": AgentStatus.PAUSED}, {"account_id": "chen"}):
        shown.agents = [card.model_copy(update=other)]
        assert shown.human_with_room() is None, other
