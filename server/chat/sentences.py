"""Shapes of the protocol in words: what a person at a terminal reads about places, owners, loads and reasons."""

import math
from datetime import UTC, datetime
from typing import Any, cast

from protocol.cards import Alarm, Collaboration, Item, WaitingCard, Wall
from protocol.codes import Reason
from protocol.shapes import (
    AgentCard,
    Conversation,
    CustomerCard,
    FileBody,
    ImageBody,
    Message,
    NoteBody,
    OrderCardBody,
    Party,
    PoolCard,
    Queue,
    RoutingDecision,
    SlotCard,
    SystemBody,
    TextBody,
    TriedTier,
    WaitExplanation,
)
from server.chat.language import Language

BAR_CELLS = 10
QUOTED_MOST = 60
"""characters of a quoted message in a line"""


def moment(timestamp: str) -> datetime:
    """A wire timestamp as an aware datetime."""
    return datetime.fromisoformat(timestamp)


def clock(timestamp: str) -> str:
    """A wire timestamp as the wall clock of this machine shows it."""
    return moment(timestamp).astimezone().strftime("%H:%M:%S")


def age(words: Language, timestamp: str, now: datetime | None = None) -> str:
    """How long ago that was, in the largest fitting unit."""
    seconds = max(0, int(((now or datetime.now(UTC)) - moment(timestamp)).total_seconds()))
    if seconds < 100:
        return words("unit.seconds", n=seconds)
    if seconds < 100 * 60:
        return words("unit.minutes", n=seconds // 60)
    return words("unit.hours", n=seconds // 3600)


def customer(words: Language, card: CustomerCard) -> str:
    """A customer's name, or what anonymous visitors are called."""
    return card.name or f"{words('who.anonymous')} {card.customer_id[-4:]}"


def party(words: Language, who: Party | None) -> str:
    """Somebody's name, or what their kind is called; nobody when there is none."""
    if who is None:
        return words("why.nobody")
    return who.name or words.word("who", who.kind)


def size(size_bytes: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"


def place(words: Language, queue: Queue) -> str:
    """To a waiting customer: their place, why they wait, and about how long, if that is known (KS-22)."""
    pool = words.word("order_state", queue.pool)
    told = words(f"queue.{queue.reason}", place=queue.place, length=queue.length, pool=pool)
    if queue.estimate_s is None:
        return told
    return f"{told} {words('queue.estimate', minutes=math.ceil(queue.estimate_s / 60))}"


def content(words: Language, message: Message) -> str:
    """What a message says, in one line of text."""
    body = message.body
    if body is None:
        return words("kind.recalled")
    if isinstance(body, TextBody):
        return body.text
    if isinstance(body, ImageBody):
        return words("kind.image", name=body.name or body.file_id)
    if isinstance(body, FileBody):
        return words("kind.file", name=body.name)
    if isinstance(body, OrderCardBody):
        title = f" {body.title}" if body.title else ""
        state = words.word("order_state", body.state)
        return words("kind.order_card", order_id=body.order_id, title=title, state=state)
    if isinstance(body, NoteBody):
        return words("kind.whisper" if body.whisper else "kind.note", text=body.text)
    return system(words, body)


def system(words: Language, body: SystemBody) -> str:
    """An entry that the server wrote about the conversation itself."""
    return words.word("event", body.event)


def happened(words: Language, body: SystemBody) -> str:
    """Something that colleagues did in a conversation, with who and why."""
    facts = {name: _named(body.data.get(name)) for name in ("who", "by", "rule")}
    text = str(body.data.get("text") or "")
    line = words.word("event", body.event)
    if "{" in line:
        line = line.format(**facts, text=text)
    reason = str(body.data.get("reason") or "")
    return f"{line} ({reason})" if reason else line


def _named(who: Any) -> str:
    """One or several people of an entry, or a rule."""
    if isinstance(who, list):
        return ", ".join(_named(one) for one in cast("list[Any]", who))
    return str(cast("dict[str, Any]", who).get("name", "")) if isinstance(who, dict) else str(who or "")


def message(words: Language, entry: Message, *, mine: bool) -> str:
    """One line of a conversation's log."""
    who = words("who.you") if mine else party(words, entry.sender)
    return f"{clock(entry.created_at)} {who}: {about(words, entry)}{content(words, entry)}"


def about(words: Language, entry: Message) -> str:
    """Before what is said: which message it quotes, and how that one begins. Nothing when it quotes none."""
    body = entry.body
    if not isinstance(body, TextBody | NoteBody) or body.quote is None:
        return ""
    quote = body.quote
    if quote.kind is None:
        return f"↪ {words('kind.recalled')} / "
    said = {"image": "kind.image", "file": "kind.file"}.get(quote.kind)
    text = " ".join(quote.excerpt.split())
    shown = words(said, name=text) if said else text
    short = shown if len(shown) <= QUOTED_MOST else f"{shown[:QUOTED_MOST]}…"
    return f"↪ {party(words, quote.sender)}: {short} / "


def bar(load: int, capacity: int) -> str:
    """A load as ten cells; above capacity all are full and a plus follows."""
    full = min(BAR_CELLS, round(load * BAR_CELLS / max(1, capacity)))
    return "█" * full + "░" * (BAR_CELLS - full) + ("+" if load > capacity else "")


def agent(words: Language, card: AgentCard) -> str:
    """One agent with status, load, and why they can or cannot take one more."""
    return words(
        "agent.agent_line",
        name=card.name,
        status=words.word("status", card.status),
        bar=bar(card.load, card.capacity),
        load=card.load,
        capacity=card.capacity,
        availability=words.word("reason", card.availability),
    )


def own_status(words: Language, card: AgentCard) -> str:
    """To an agent: their status and load, and why nothing more comes, when nothing does."""
    facts = {"status": words.word("status", card.status), "load": card.load, "capacity": card.capacity}
    if card.availability in {Reason.HAS_ROOM, card.status}:
        return words("agent.status", **facts)
    return words("agent.status_because", reason=words.word("reason", card.availability), **facts)


def pool(words: Language, card: PoolCard) -> str:
    """One queue pool at a glance."""
    bound = len(card.groups) > 0 and not card.open_to_everybody
    return words(
        "agent.queue_pool",
        pool=words.word("order_state", card.pool),
        length=card.length,
        time=age(words, card.oldest_at) if card.oldest_at else "-",
        groups=words("agent.queue_bound", count=len(card.groups)) if bound else words("agent.queue_open"),
    )


def waiting(words: Language, number: int, conversation: Conversation, queue: Queue) -> str:
    """One waiting conversation, for agents."""
    return words(
        "agent.queue_line",
        n=number,
        customer=customer(words, conversation.customer),
        order_state=words.word("order_state", conversation.order_state),
        pool=words.word("order_state", queue.pool),
        place=queue.place,
        length=queue.length,
        time=age(words, queue.waiting_since),
        reason=words.word("reason", queue.reason),
    )


def slot(words: Language, card: SlotCard) -> str:
    """Why one slot is held (KS-22)."""
    over = words("agent.over") if card.over_capacity else ""
    reason = words.word("reason", card.reason)
    name = card.customer_name or words("who.anonymous")
    if card.why == "wrap_up":
        until = clock(card.until) if card.until else "-"
        return words("agent.slot_wrap_up", customer=name, until=until, reason=reason, over=over)
    return words("agent.slot_service", customer=name, since=clock(card.since), reason=reason, over=over)


def change(words: Language, taken: RoutingDecision) -> str:
    """What a decision did, and with whom or where."""
    if taken.change == "queued":
        return words("change.queued", who=words.word("order_state", taken.pool or "default"))
    key = f"change.{taken.change}"
    return words(key, who=party(words, taken.owner)) if key in words.sentences else taken.change


def decision(words: Language, taken: RoutingDecision) -> list[str]:
    """One routing decision: what was done and why, then every rule tried with its outcome."""
    first = f"{clock(taken.at)} {change(words, taken)}"
    if taken.reason:
        first += words("why.because", reason=words.word("reason", taken.reason))
    if taken.by:
        first += words("why.by", name=party(words, taken.by))
    return [first, *(tried(words, tier) for tier in taken.tried)]


def tried(words: Language, tier: TriedTier) -> str:
    """One rule of the routing order with its outcome."""
    who = f" ({party(words, tier.agent)})" if tier.agent else ""
    outcome = words.word("reason", tier.outcome)
    return words("why.tried", tier=words.word("reason", tier.tier), who=who, outcome=outcome)


def wait(words: Language, explanation: WaitExplanation) -> list[str]:
    """Why a conversation waits: the pool's reason, then every agent who could serve and why they cannot now."""
    first = words(
        "why.waits",
        pool=words.word("order_state", explanation.pool),
        place=explanation.place,
        length=explanation.length,
        reason=words.word("reason", explanation.reason),
    )
    each = [
        words("why.agent", name=party(words, one.agent), why=words.word("reason", one.why))
        for one in explanation.agents
    ]
    return [first, *each]


def item(words: Language, number: int, card: Item) -> str:
    """One piece of work (CO-08)."""
    owner = words("work.owner", name=party(words, card.owner)) if card.owner else ""
    due = words("work.due", time=clock(card.due_at)) if card.due_at and not card.done else ""
    return words("work.line", n=number, mark="✓" if card.done else "·", text=card.text, owner=owner, due=due)


def alarm(words: Language, number: int, card: Alarm) -> str:
    """Something that stalls (CO-09)."""
    looked = (
        words("work.looked_after", name=party(words, card.acknowledged_by)) if card.acknowledged_by else ""
    )
    kind = words.word("alarm", card.kind)
    return words("work.alarm", n=number, kind=kind, time=age(words, card.since), looked=looked)


def collaboration(words: Language, number: int, card: Collaboration) -> str:
    """One running collaboration: who, how far, how long quiet (CO-09)."""
    now = card.conversation
    work = now.work
    return words(
        "work.collaboration",
        n=number,
        customer=customer(words, now.customer),
        owner=party(words, now.owner),
        others=", ".join(party(words, one.person) for one in now.participants) or "-",
        done=0 if work is None else work.done,
        all=0 if work is None else work.done + work.remaining,
        quiet=age(words, card.last_activity_at),
    )


def wall(words: Language, shown: Wall) -> list[str]:
    """The wall, in lines."""
    head = words(
        "watch.wall",
        time=clock(shown.at),
        queued=shown.queued,
        in_service=shown.in_service,
        wrap_up=shown.wrap_up,
    )
    numbered = enumerate((*shown.waiting, *shown.unanswered), 1)
    return [
        head,
        *(pool(words, card) for card in shown.pools if card.length),
        *(agent(words, card) for card in shown.agents),
        *(_on_the_wall(words, number, card) for number, card in numbered),
        *(
            words(
                "watch.collaboration",
                customer=line.customer_name or words("who.anonymous"),
                owner=party(words, line.owner),
                others=", ".join(party(words, one.person) for one in line.participants) or "-",
                quiet=age(words, line.last_activity_at),
            )
            for line in shown.collaborations
        ),
        *(alarm(words, number, card) for number, card in enumerate(shown.alarms, 1)),
    ]


def _on_the_wall(words: Language, number: int, card: WaitingCard) -> str:
    key = "watch.waits" if card.owner is None else "watch.unanswered"
    return words(
        key,
        n=number,
        customer=card.customer_name or words("who.anonymous"),
        state=words.word("order_state", card.order_state),
        time=age(words, card.since),
        owner=party(words, card.owner),
    )
