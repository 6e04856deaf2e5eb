"""The board drawn in a terminal, or told line by line where there is none."""

import time
from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from protocol.shapes import AgentCard
from server.chat import sentences
from server.chat.language import Language
from server.demo.board import Board, Decided, Served, Totals

STATUS_STYLE = {"online": "green", "paused": "yellow", "offline": "bright_black"}


def draw(words: Language, board: Board) -> RenderableType:
    """The whole board."""
    return Group(
        _pools(words, board),
        _agents(words, board),
        _decisions(words, board),
        Text(totals(words, board), "bold"),
    )


def totals(words: Language, board: Board) -> str:
    """What happened since the start, in one line."""
    counts = {name: getattr(board.totals, name) for name in Totals.__slots__}
    return words("demo.totals", seconds=int(time.monotonic() - board.started), **counts)


def told(words: Language, entry: Decided) -> str:
    """One decision in one line, with its reason in words."""
    facts = {
        "time": sentences.clock(entry.decision.at),
        "customer": sentences.customer(words, entry.conversation.customer),
        "order_state": words.word("order_state", entry.conversation.order_state),
        "change": sentences.change(words, entry.decision),
    }
    if entry.decision.reason is None:
        return words("demo.changed", **facts)
    return words("demo.decision", reason=reason(words, entry), **facts)


def reason(words: Language, entry: Decided) -> str:
    """Why a decision came out as it did: its reason, and what the rules before it met."""
    decision = entry.decision
    text = words.word("reason", decision.reason) if decision.reason else ""
    passed = [
        f"{words.word('reason', tier.tier)}: {words.word('reason', tier.outcome)}"
        for tier in decision.tried
        if tier.outcome != "taken" and tier.tier != decision.reason
    ]
    if passed:
        text += words("demo.rule", tried=", ".join(passed))
    return text


def served(words: Language, news: Served) -> str:
    """A served conversation in one line."""
    why = words.word("reason", news.reason) if news.reason else "-"
    return words("demo.served", customer=news.customer, agent=news.agent, reason=why)


class PlainLines:
    """The board for logs and pipes: a line per decision and per served conversation, totals now and then."""

    EVERY_S = 15.0

    def __init__(self, words: Language, say: Callable[[str], None]) -> None:
        self._words = words
        self._say = say
        self._last = time.monotonic()

    def decided(self, entry: Decided) -> None:
        """Tell a decision."""
        self._say(told(self._words, entry))

    def served(self, news: Served) -> None:
        """Tell a served conversation."""
        self._say(served(self._words, news))

    def tick(self, board: Board) -> None:
        """Tell the totals when it is time."""
        if time.monotonic() - self._last >= self.EVERY_S:
            self._last = time.monotonic()
            self._say(totals(self._words, board))


def _pools(words: Language, board: Board) -> Table:
    table = _table(words("demo.pools"))
    for name in ("demo.pool", "demo.length", "demo.oldest", "demo.because"):
        table.add_column(words(name))
    reasons = {one.queue.pool: one.queue.reason for one in board.waiting if one.queue is not None}
    for pool in board.pools:
        if pool.length:
            because = words.word("reason", reasons.get(pool.pool, "-"))
            if pool.open_to_everybody:
                because += f" · {words('agent.queue_open')}"
            oldest = sentences.age(words, pool.oldest_at) if pool.oldest_at else "-"
            table.add_row(words.word("order_state", pool.pool), str(pool.length), oldest, because)
    if not table.row_count:
        table.add_row(Text(words("demo.nobody_waits"), "bright_black"), "0", "-", "-")
    return table


def _agents(words: Language, board: Board) -> Table:
    table = _table(words("demo.agents"))
    for name in ("demo.agent", "demo.status", "demo.load", "demo.received", "demo.waits"):
        table.add_column(words(name))
    for card in board.agents:
        kind = words("demo.human_here" if card.account_id in board.humans else "demo.robot")
        since = board.unanswered.get(card.account_id)
        table.add_row(
            f"{card.name} ({kind})",
            _status(words, card),
            f"{sentences.bar(card.load, card.capacity)} {card.load}/{card.capacity}",
            str(card.received_today),
            sentences.age(words, since) if since else "-",
        )
    return table


def _status(words: Language, card: AgentCard) -> Text:
    text = Text(words.word("status", card.status), STATUS_STYLE.get(card.status, ""))
    if card.availability not in {"has_room", card.status}:
        text.append(f" · {words.word('reason', card.availability)}", "bright_black")
    return text


def _decisions(words: Language, board: Board) -> Table:
    table = _table(words("demo.decisions"))
    table.add_column(words("demo.at"))
    table.add_column(words("demo.customer"))
    table.add_column(words("demo.change"))
    table.add_column(words("demo.reason"), ratio=1, overflow="ellipsis", no_wrap=True)
    for entry in reversed(board.decisions):
        decision, conversation = entry.decision, entry.conversation
        state = words.word("order_state", conversation.order_state)
        table.add_row(
            sentences.clock(decision.at),
            f"{sentences.customer(words, conversation.customer)} ({state})",
            sentences.change(words, decision),
            reason(words, entry),
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", expand=True, box=None, pad_edge=False)
