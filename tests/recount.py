"""Figures counted anew from the raw log, by reading each conversation from its first entry to its last.

Shares nothing with the product but the tables: every measure is what docs/statistics.md says, written as a loop.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from server.store.database import Database, Row
from server.store.statistics import Figure

Key = tuple[int, "str | None", str]


@dataclass(frozen=True)
class Fact:
    """One thing that happened."""

    at: int
    measure: str
    agent: str | None
    order_state: str | None
    value: int | None = None


@dataclass(frozen=True)
class Term:
    """Somebody was in a group from `joined` up to `left` (None: is still)."""

    group: str
    account: str
    joined: int
    left: int | None


async def terms_of(db: Database, shop: str) -> list[Term]:
    """Who was in which group when."""
    rows = await db.fetch("SELECT * FROM group_terms WHERE shop_id = $1", shop)
    return [Term(row["group_id"], row["account_id"], row["joined_at"], row["left_at"]) for row in rows]


async def facts_of(db: Database, shop: str) -> list[Fact]:
    """Everything that ever happened in a shop."""
    bots = {row["id"] for row in await db.fetch("SELECT id FROM accounts WHERE 'bot' = ANY (roles)")}
    facts: list[Fact] = []
    for conversation in await db.fetch("SELECT * FROM conversations WHERE shop_id = $1", shop):
        entries = await db.fetch(
            "SELECT * FROM messages WHERE conversation_id = $1 ORDER BY seq", conversation["id"]
        )
        decisions = {
            f"d:{row['rev']}": row
            for row in await db.fetch(
                "SELECT * FROM decisions WHERE conversation_id = $1", conversation["id"]
            )
        }
        facts += of_one(conversation, entries, decisions, bots)
    state = {
        row["id"]: row["order_state"]
        for row in await db.fetch("SELECT id, order_state FROM conversations WHERE shop_id = $1", shop)
    }
    for row in await db.fetch("SELECT * FROM audit WHERE shop_id = $1", shop):
        if (row["outcome"], row["reason"]) == ("refused", "out_of_scope"):
            facts.append(Fact(row["at"], "cross_group_tries", row["actor_id"], None))
    for row in await db.fetch("SELECT * FROM participations WHERE shop_id = $1", shop):
        if row["role"] != "watcher":
            took = None if row["left_at"] is None else row["left_at"] - row["joined_at"]
            facts.append(
                Fact(
                    row["joined_at"],
                    "collaborations",
                    row["account_id"],
                    state[row["conversation_id"]],
                    took,
                )
            )
    for row in await db.fetch("SELECT * FROM items WHERE shop_id = $1", shop):
        if row["done"] and row["removed_at"] is None:
            facts.append(
                Fact(
                    row["done_at"],
                    "items_done",
                    row["done_by"],
                    state[row["conversation_id"]],
                    row["done_at"] - row["created_at"],
                )
            )
    return facts


def of_one(
    conversation: Row,
    entries: Iterable[Row],
    decisions: Mapping[str, Row],
    bots: set[str],
) -> list[Fact]:
    """Everything that happened in one conversation."""
    facts: list[Fact] = []
    state = conversation["order_state"]
    opened = conversation["opened_at"]

    def happened(at: int, measure: str, agent: str | None, value: int | None = None) -> None:
        facts.append(Fact(at, measure, agent, state, value))

    happened(opened, "opened", None)
    if conversation["rating"] is not None and conversation["closed_at"] is not None:
        happened(conversation["closed_at"], "ratings", conversation["last_owner_id"], conversation["rating"])
    change: str | None = None
    owner: str | None = None
    last_owner: str | None = None
    queued_at: int | None = None
    unanswered_at: int | None = None
    customer_wrote = False
    speakers: list[str] = []
    for entry in entries:
        at, kind, sender = entry["created_at"], entry["sender_kind"], entry["sender_id"]
        if kind == "system":
            decision = decisions.get(entry["client_message_id"])
            if decision is None:
                continue
            now, new_owner = decision["change"], decision["owner"]
            waited = change == "queued"
            given_up = waited and now in ("closed", "ended")
            last_owner = new_owner or last_owner
            if waited and now != "queued":
                assert queued_at is not None
                happened(at, "queue_waits", None if given_up else new_owner, at - queued_at)
            if given_up:
                happened(at, "abandoned", None)
            if now == "queued" and not waited:
                queued_at = at
            if now == "assigned":
                happened(at, "assigned", new_owner)
                handed = change in ("assigned", "reopened") and owner is not None and owner != new_owner
                if handed and owner not in bots:
                    happened(at, "transfers_in", new_owner)
                    happened(at, "transfers_out", owner)
            if now == "closed":
                whose = None if given_up else last_owner
                happened(at, "closed", whose)
                if whose is not None:
                    happened(at, "resolutions", whose, at - min(opened, at))
                if customer_wrote and not speakers:
                    happened(at, "unanswered", whose)
            change, owner = now, new_owner
        elif entry["visibility"] == "internal":
            if kind == "agent":
                happened(at, "notes", sender)
        elif kind == "customer":
            happened(at, "messages_customer", owner)
            customer_wrote = True
            unanswered_at = at if unanswered_at is None else unanswered_at
        else:
            happened(at, f"messages_{kind}", sender)
            if kind == "agent":
                if unanswered_at is not None:
                    happened(at, "responses", sender, at - unanswered_at)
                if not speakers:
                    since = min(opened, at) if unanswered_at is None else unanswered_at
                    happened(at, "first_responses", sender, at - since)
                if sender not in speakers:
                    speakers.append(sender)
                    if len(speakers) == 2:
                        happened(at, "served_by_several", sender)
            unanswered_at = None
    return facts


def recount(
    facts: Sequence[Fact],
    edges: Sequence[int],
    by: str,
    *,
    terms: Sequence[Term] = (),
    bound: Mapping[str, Sequence[str]] | None = None,
) -> dict[Key, Figure]:
    """Figures by bucket, key and measure. `terms`: who was in which group when; `bound`: order state -> groups."""
    found: dict[Key, list[Fact]] = defaultdict(list)
    for fact in facts:
        for bucket in range(len(edges) - 1):
            if edges[bucket] <= fact.at < edges[bucket + 1]:
                for key in keys_of(fact, by, terms, bound or {}):
                    found[bucket, key, fact.measure].append(fact)
    return {where: figure(where, those) for where, those in found.items()}


def keys_of(
    fact: Fact, by: str, terms: Sequence[Term], bound: Mapping[str, Sequence[str]]
) -> list[str | None]:
    if by == "agent":
        return [fact.agent]
    if by == "order_state":
        return [fact.order_state]
    if by == "group":
        if fact.agent is None:
            return list(bound.get(fact.order_state or "", ())) or [None]
        quarter_end = fact.at - fact.at % 900_000 + 900_000
        return [
            term.group
            for term in terms
            if term.account == fact.agent
            and term.joined < quarter_end
            and (term.left is None or term.left >= quarter_end)
        ] or [None]
    return [None]


def figure(where: Key, facts: Sequence[Fact]) -> Figure:
    values = sorted(fact.value for fact in facts if fact.value is not None)
    return Figure(
        *where,
        n=len(facts),
        timed=len(values),
        total=sum(values),
        median=share(values, 0.5),
        p95=share(values, 0.95),
        longest=values[-1] if values else None,
        quick=sum(1 for value in values if value <= 180_000),
    )


def share(values: Sequence[int], part: float) -> int | None:
    """The smallest value that at least this part of all does not exceed."""
    return values[max(math.ceil(part * len(values)) - 1, 0)] if values else None


async def state_times(
    db: Database, shop: str, edges: Sequence[int], by: str, now: int
) -> dict[tuple[int, str | None, str], int]:
    """Milliseconds in each state by bucket and key, counted interval by interval; bots left out."""
    bots = {row["id"] for row in await db.fetch("SELECT id FROM accounts WHERE 'bot' = ANY (roles)")}
    terms = await terms_of(db, shop)
    found: dict[tuple[int, str | None, str], int] = defaultdict(int)
    for row in await db.fetch("SELECT * FROM agent_states WHERE shop_id = $1", shop):
        if row["account_id"] in bots:
            continue
        whole = (row["began_at"], now if row["ended_at"] is None else row["ended_at"])
        mine = [term for term in terms if term.account == row["account_id"]]
        for bucket in range(len(edges) - 1):
            begin, end = max(whole[0], edges[bucket]), min(whole[1], edges[bucket + 1])
            if begin >= end:
                continue
            if by != "group":
                found[bucket, row["account_id"] if by == "agent" else None, row["state"]] += end - begin
                continue
            # Cut at every join and leave; each piece is in some groups, or in none.
            cuts = {begin, end}
            cuts |= {at for term in mine for at in (term.joined, term.left) if at and begin < at < end}
            for a, z in pairwise(sorted(cuts)):
                inside = {t.group for t in mine if t.joined <= a and (t.left is None or t.left >= z)}
                for group in inside or {None}:
                    found[bucket, group, row["state"]] += z - a
    return dict(found)


async def outcomes(
    db: Database,
    shop: str,
    edges: tuple[int, int],
    by: str,
    *,
    terms: Sequence[Term] = (),
    bound: Mapping[str, Sequence[str]] | None = None,
) -> dict[tuple[str | None, str, str | None], tuple[int, int, int, int]]:
    """How often which tag and which reason was given: (key, kind, id) -> how many, of how many, rated, stars."""
    counted: dict[tuple[str | None, str, str | None], list[int | None]] = defaultdict(list)
    closed: dict[str | None, list[int | None]] = defaultdict(list)
    for row in await db.fetch("SELECT * FROM conversations WHERE shop_id = $1 AND state = 'closed'", shop):
        if not edges[0] <= row["closed_at"] < edges[1]:
            continue
        fact = Fact(row["closed_at"], "closed", row["last_owner_id"], row["order_state"])
        for key in keys_of(fact, by, terms, bound or {}):
            closed[key].append(row["rating"])
            for tag in row["result_tags"] or [None]:
                counted[key, "result_tag", tag].append(row["rating"])
            for reason in row["rating_reasons"] or [None]:
                if row["rating"] is not None:
                    counted[key, "rating_reason", reason].append(row["rating"])
    found: dict[tuple[str | None, str, str | None], tuple[int, int, int, int]] = {}
    for (key, kind, name), ratings in counted.items():
        stars = [rating for rating in ratings if rating is not None]
        whole = [rating for rating in closed[key] if kind == "result_tag" or rating is not None]
        found[key, kind, name] = (len(ratings), len(whole), len(stars), sum(stars))
    return found
