"""A run that never was: rows in PostgreSQL and the journal that belongs to them, of any size, with nothing wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from loadtest.journal import Journal
from protocol.ids import new_id
from protocol.methods.messages import SendResult

BEGUN = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
"""Long after the accounts were made."""
MESSAGE_COLUMNS = (
    "conversation_id", "seq", "customer_seq", "shop_id", "message_id", "sender_kind", "sender_id", "sender_name",
    "client_message_id", "body", "body_hash", "visibility", "created_at", "node",
)  # fmt: skip
DECISION_COLUMNS = (
    "conversation_id", "rev", "shop_id", "at", "change", "epoch", "owner", "previous_owner", "reason", "pool",
    "priority", "arrived_at", "offline", "tried",
)  # fmt: skip
PART = 200
"""Conversations that are made at a time."""


async def make_up(database_url: str, journal: Path, *, conversations: int, messages: int) -> None:
    """So many conversations with so many messages each, between a customer and an agent who has room for all; each is
    assigned, talked in and closed. Two readers were given everything."""
    db = await asyncpg.connect(database_url)
    try:
        shop, agent = new_id(), new_id()
        await db.execute(
            "INSERT INTO shops (id, slug, name, policy, widget_settings) VALUES ($1, 'made-up', 'Made up', '{}', $2)",
            shop,
            '{"identity_mode": "off", "anonymous_allowed": true}',
        )
        await db.execute(
            "INSERT INTO accounts (id, shop_id, email, name, password_hash, roles, capacity, status) "
            "VALUES ($1, $2, 'lily@example.com', 'Lily', '', '{agent}', 500, 'online')",
            agent,
            shop,
        )
        with Journal(journal) as book:
            lily = book.pen()
            lily.came(agent, "agent", shop)
            for first in range(0, conversations, PART):
                some = range(first, min(first + PART, conversations))
                parts = [_conversation(book, lily, shop, agent, number, messages) for number in some]
                await db.copy_records_to_table(
                    "customers", columns=("id", "shop_id", "anonymous"), records=[part[0] for part in parts]
                )
                await db.copy_records_to_table(
                    "conversations",
                    columns=tuple(parts[0][1]),
                    records=[tuple(part[1].values()) for part in parts],
                )
                await db.copy_records_to_table(
                    "messages", columns=MESSAGE_COLUMNS, records=[row for part in parts for row in part[2]]
                )
                await db.copy_records_to_table(
                    "decisions", columns=DECISION_COLUMNS, records=[row for part in parts for row in part[3]]
                )
            lily.stayed()
    finally:
        await db.close()


def _conversation(
    book: Journal, lily: Any, shop: str, agent: str, number: int, messages: int
) -> tuple[tuple[Any, ...], dict[str, Any], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of its customer, itself, its log and its decisions; written down as it happened."""
    customer, conversation = new_id(), new_id()
    ada = book.pen()
    ada.came(customer, "customer", shop)
    opened = BEGUN + timedelta(seconds=number)
    log: list[tuple[Any, ...]] = []

    def add(kind: str, sender: str | None, name: str, body: dict[str, Any]) -> None:
        seq, id = len(log) + 1, new_id()
        said = str(body.get("text") or body.get("event"))
        for reader in (ada, lily):
            reader.given(conversation, seq, id, name, said, internal=False)
        text = orjson.dumps(body).decode()
        log.append(
            (conversation, seq, seq, shop, id, kind, sender, "", name, text, md5(text.encode()).digest(), "public",
             opened, "node")
        )  # fmt: skip
        if sender is not None:
            pen = ada if kind == "customer" else lily
            pen.acked(
                conversation, name, SendResult(seq=seq, message_id=id, created_at=STAMP, duplicate=False)
            )

    add("system", None, "d:1", {"kind": "system", "event": "assigned"})
    for turn in range(messages):
        by_customer = turn % 2 == 0
        name, text = f"m-{turn}", f"turn {turn} of {number}"
        (ada if by_customer else lily).sent(conversation, name, text)
        sender = customer if by_customer else agent
        add("customer" if by_customer else "agent", sender, name, {"kind": "text", "text": text})
    add("system", None, "d:2", {"kind": "system", "event": "closed"})
    ada.stayed()

    closed = opened + timedelta(milliseconds=900)
    head = len(log)
    row = {
        "id": conversation, "shop_id": shop, "customer_id": customer, "state": "closed", "owner_id": agent,
        "owner_kind": "agent", "assign_epoch": 1, "live_rev": 2, "order_state": "no_active_order",
        "opened_at": opened, "arrived_at": opened, "closed_at": closed, "head_seq": head, "customer_head_seq": head,
    }  # fmt: skip
    decisions = [
        (conversation, 1, shop, opened, "assigned", 1, agent, None, "any_online", "default", 1, opened, False, "[]"),
        (conversation, 2, shop, closed, "closed", 1, agent, agent, None, "default", 1, opened, False, "[]"),
    ]  # fmt: skip
    return (customer, shop, True), row, log, decisions


STAMP = "2026-11-22T08:00:00.000Z"
