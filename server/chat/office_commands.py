"""What colleagues do over HTTP, from the terminal: customers and who looks after them, rules, figures, the audit."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from server.chat import sentences
from server.chat.chat import Chat, Run
from server.chat.naming import Naming
from server.chat.office import Office

PAGE: Final = 20


class OfficeCommands:
    """One method per command, each one request of the HTTP API and a sentence."""

    def __init__(self, chat: Chat, office: Office, naming: Naming) -> None:
        self._chat = chat
        self._words = chat.words
        self._office = office
        self._naming = naming
        self._customers: list[dict[str, Any]] = []
        self._rules: list[dict[str, Any]] = []
        self.table: dict[str, Run] = {
            "customers": self._list_customers,
            "owner": self._owner,
            "noted": self._noted,
            "rules": self._list_rules,
            "rule": self._rule,
            "figures": self._figures,
            "audit": self._audit,
            "shift": self._shift,
        }

    async def _list_customers(self, rest: str) -> None:
        wanted = {"limit": str(PAGE)}
        if rest in ("me", "nobody"):
            wanted["owner"] = rest
        elif rest:
            wanted["q"] = rest
        page = await self._office.ask("GET", f"/v1/customers?{urlencode(wanted)}")
        self._customers = page["items"]
        if not self._customers:
            self._chat.say("office.no_customers")
        for number, one in enumerate(self._customers, 1):
            owner = one["owner"]["name"] if one["owner"] else self._words("why.nobody")
            name = one["name"] or f"{self._words('who.anonymous')} {one['id'][-4:]}"
            self._chat.say(
                "office.customer", n=number, name=name, owner=owner, tags=", ".join(one["tags"]) or "-"
            )

    async def _owner(self, rest: str) -> None:
        """`/owner 2 Chen moving house`, `/owner all Chen`, `/owner 2 -`: nobody."""
        which, _, name = rest.partition(" ")
        chosen = self._customers if which == "all" else self._numbered("/owner", which, self._customers)
        if not chosen:
            return
        reason, to = "", None
        if name.partition(" ")[0] != "-":
            person = await self._naming.colleague(name)
            if person is None:
                return
            to, reason = person[0].account_id, person[1]
        body = {"customer_ids": [one["id"] for one in chosen], "to": to, "reason": reason}
        job = await self._office.ask("POST", "/v1/customers/reassignments", body)
        self._chat.say("office.reassigned", done=job["done"], total=job["total"], refused=job["refused"])

    async def _noted(self, rest: str) -> None:
        which, _, text = rest.partition(" ")
        chosen = self._numbered("/noted", which, self._customers)
        if not chosen:
            return
        path = f"/v1/customers/id/{chosen[0]['id']}/notes"
        if text:
            await self._office.ask("POST", path, {"text": text})
        for note in (await self._office.ask("GET", path))["items"]:
            self._chat.say(
                "office.note",
                day=sentences.moment(note["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M"),
                name=note["by"]["name"],
                text=note["text"],
            )

    async def _list_rules(self, rest: str) -> None:
        self._rules = (await self._office.ask("GET", "/v1/rules"))["items"]
        if not self._rules:
            self._chat.say("office.no_rules")
        for number, rule in enumerate(self._rules, 1):
            mark = "✓" if rule["enabled"] else "·"
            self._chat.say("office.rule", n=number, mark=mark, name=rule["name"])

    async def _rule(self, rest: str) -> None:
        which, _, wish = rest.partition(" ")
        if wish not in ("on", "off"):
            self._chat.say("office.rule_usage")
            return
        chosen = self._numbered("/rule", which, self._rules)
        if chosen:
            path = f"/v1/rules/{chosen[0]['id']}"
            await self._office.ask("PATCH", path, {"rev": chosen[0]["rev"], "enabled": wish == "on"})
            await self._list_rules("")

    async def _figures(self, rest: str) -> None:
        """Today's figures of the shop, or of its groups or agents (`/figures agent`)."""
        now = datetime.now(UTC)
        wanted = {
            "from": (now - timedelta(days=1)).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "to": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "step": "total",
            "by": rest if rest in ("group", "agent", "order_state") else "shop",
        }
        report = await self._office.ask("GET", f"/v1/statistics?{urlencode(wanted)}")
        if not report["lines"]:
            self._chat.say("office.no_figures")
        for line in report["lines"]:
            first = line["first_responses"]["median_ms"]
            self._chat.say(
                "office.figures",
                name=line["name"] or "-",
                opened=line["opened"],
                closed=line["closed"],
                first="-" if first is None else f"{first / 1000:.0f} s",
                transfers=line["transfers_out"],
                tries=line["cross_group_tries"],
            )

    async def _audit(self, rest: str) -> None:
        wanted = {"limit": str(PAGE)}
        if rest == "refused":
            wanted["outcome"] = rest
        elif rest:
            wanted["q"] = rest
        page = await self._office.ask("GET", f"/v1/audit?{urlencode(wanted)}")
        for record in reversed(page["records"]):
            self._chat.say(
                "office.record",
                time=sentences.clock(record["at"]),
                name=record["actor_name"] or record["actor_kind"],
                action=record["action"],
                outcome=self._words.word("outcome", record["outcome"]),
                reason=f" ({record['reason']})" if record["reason"] else "",
            )

    async def _shift(self, rest: str) -> None:
        """`/shift Chen on|off`: on or off duty by hand; `/shift Chen -`: as the schedule says."""
        person = await self._naming.colleague(rest)
        if person is None:
            return
        card, wish = person
        path = f"/v1/accounts/{card.account_id}/duty"
        if wish == "-":
            await self._office.ask("DELETE", path)
        elif wish in ("on", "off"):
            await self._office.ask("PUT", path, {"on_duty": wish == "on"})
        else:
            self._chat.say("office.shift_usage")
            return
        self._chat.say("office.shift", name=card.name)

    def _numbered(self, command: str, number: str, things: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if number.isdecimal() and 1 <= int(number) <= len(things):
            return [things[int(number) - 1]]
        self._chat.say("agent.number_usage", command=command)
        return []
