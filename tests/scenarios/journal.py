"""An append-only journal of what people sent, what was acknowledged and what they were given; and its offline checker.

The checker knows no server: it holds the journal against PostgreSQL after everything has stopped (I1, I2, I3).
"""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg

from protocol.shapes import Message

Record = dict[str, Any]
Rows = dict[str, list[asyncpg.Record]]


class Journal:
    """Lines of JSON in the order in which things happened; a line is with the kernel when its call returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def sent(self, conversation: str, who: str, client_message_id: str) -> None:
        """Somebody is about to send this."""
        self._note(what="sent", conversation=conversation, who=who, id=client_message_id)

    def acknowledged(self, conversation: str, who: str, client_message_id: str, seq: int) -> None:
        """The server has said that it has it, under this number of the sender's numbering."""
        self._note(what="acked", conversation=conversation, who=who, id=client_message_id, seq=seq)

    def delivered(self, who: str, message: Message) -> None:
        """Somebody was given this entry of a log."""
        self._note(
            what="delivered",
            conversation=message.conversation_id,
            who=who,
            id=message.client_message_id,
            seq=message.seq,
        )

    def close(self) -> None:
        self._file.close()

    def _note(self, **record: Any) -> None:
        self._file.write(json.dumps(record) + "\n")


async def check(path: Path, database_url: str, *, must_have: dict[str, list[str]]) -> list[str]:
    """Every fault of a finished run, in words; none: nothing was lost, doubled or put in another order.

    `must_have`: conversation -> the people who must have been given all of its log. The customer is whoever sent the
    first entry; their numbering leaves out what is not public.
    """
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    connection = await asyncpg.connect(database_url)
    try:
        logs: Rows = defaultdict(list)
        for row in await connection.fetch("SELECT * FROM messages ORDER BY conversation_id, seq"):
            logs[str(row["conversation_id"])].append(row)
        decisions: Rows = defaultdict(list)
        for row in await connection.fetch("SELECT * FROM decisions ORDER BY conversation_id, rev"):
            decisions[str(row["conversation_id"])].append(row)
        heads = {
            str(row["id"]): (row["head_seq"], row["assign_epoch"], str(row["owner_id"] or ""))
            for row in await connection.fetch(
                "SELECT id, head_seq, assign_epoch, owner_id FROM conversations"
            )
        }
    finally:
        await connection.close()
    return [
        *_numbers(logs, heads),
        *_sends(records, logs),
        *_deliveries(records, logs, must_have),
        *_owners(decisions, heads),
    ]


def _numbers(logs: Rows, heads: dict[str, tuple[int, int, str]]) -> list[str]:
    """I2: 1..n without holes, in both numberings."""
    faults: list[str] = []
    for conversation, log in logs.items():
        if [row["seq"] for row in log] != list(range(1, len(log) + 1)):
            faults.append(f"{conversation}: seq has holes")
        public = [row["customer_seq"] for row in log if row["customer_seq"] is not None]
        if public != list(range(1, len(public) + 1)):
            faults.append(f"{conversation}: the customer's seq has holes")
        if heads[conversation][0] != len(log):
            faults.append(f"{conversation}: its head is {heads[conversation][0]}, its log has {len(log)}")
    return faults


def _sends(records: list[Record], logs: Rows) -> list[str]:
    """I1: what was acknowledged is there exactly once, under the number that was said; nothing else is there."""
    faults: list[str] = []
    stored: Counter[tuple[str, str, str]] = Counter()
    number: dict[tuple[str, str, str], tuple[int, int]] = {}
    for conversation, log in logs.items():
        for row in log:
            if row["sender_kind"] != "system":
                key = (conversation, str(row["sender_id"]), row["client_message_id"])
                stored[key] += 1
                number[key] = (row["seq"], row["customer_seq"])
    faults += [f"{key} is in the log {count} times" for key, count in stored.items() if count > 1]
    sent = {(r["conversation"], r["who"], r["id"]) for r in records if r["what"] == "sent"}
    for record in records:
        if record["what"] == "acked":
            key = (record["conversation"], record["who"], record["id"])
            if record["seq"] not in number.get(key, ()):
                faults.append(f"{key} was acknowledged as {record['seq']} and is {number.get(key, 'lost')}")
    faults += [f"{key} is in the log and nobody sent it" for key in stored if key not in sent]
    return faults


def _deliveries(records: list[Record], logs: Rows, must_have: dict[str, list[str]]) -> list[str]:
    """I1: what each person was given, once each and in order, is the log in their numbering."""
    given: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for record in records:
        if record["what"] == "delivered":
            given[record["conversation"], record["who"]].append((record["seq"], record["id"]))
    faults: list[str] = []
    for (conversation, who), got in given.items():
        log = logs[conversation]
        customer = str(log[0]["sender_id"]) == who
        expected = [
            (row["customer_seq"] if customer else row["seq"], row["client_message_id"])
            for row in log
            if not customer or row["customer_seq"] is not None
        ]
        if got != expected[: len(got)]:
            faults.append(f"{conversation}: {who} was given another order than the log's, or something twice")
        elif who in must_have.get(conversation, ()) and len(got) < len(expected):
            faults.append(f"{conversation}: {who} was given {len(got)} of {len(expected)}")
    for conversation, people in must_have.items():
        faults += [f"{conversation}: {who} got nothing" for who in people if (conversation, who) not in given]
    return faults


def _owners(decisions: Rows, heads: dict[str, tuple[int, int, str]]) -> list[str]:
    """I3: each decision once, epochs only grow and rise with every change of owner; the last one holds."""
    faults: list[str] = []
    for conversation, made in decisions.items():
        if [row["rev"] for row in made] != list(range(1, len(made) + 1)):
            faults.append(f"{conversation}: its decisions have holes")
        for before, after in pairwise(made):
            changed = before["owner"] != after["owner"]
            if after["epoch"] != before["epoch"] + changed:
                faults.append(
                    f"{conversation}: epoch {before['epoch']} -> {after['epoch']}, owner changed: {changed}"
                )
        _, epoch, owner = heads[conversation]
        if (made[-1]["epoch"], str(made[-1]["owner"] or "")) != (epoch, owner):
            faults.append(f"{conversation}: owner or epoch is not the last decision's")
    return faults
