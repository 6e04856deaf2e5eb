"""Quick replies at the terminal: `/quick` lists them, with a shortcut it answers the current conversation."""

from typing import Any, Final
from urllib.parse import urlencode

from protocol.variables import filled, missing
from server.chat.chat import Run
from server.chat.desk import Seat
from server.chat.office import Office

LISTED: Final = 20


class QuickCommands:
    """The quick replies that this agent may choose from, read anew with each command."""

    def __init__(self, seat: Seat, office: Office) -> None:
        self._chat, self._words = seat.chat, seat.words
        self._book, self._desk, self._office = seat.book, seat.desk, office
        self.table: dict[str, Run] = {"quick": self._quick}

    async def _quick(self, rest: str) -> None:
        """`/quick fh` sends the one of that shortcut, or the only one that fits; else those that fit are listed."""
        page = await self._office.ask("GET", f"/v1/quick-replies?{urlencode({'for': 'use'})}")
        wanted = rest.strip().lower()
        found = [one for one in page["items"] if wanted in _sought(one)]
        exact = [one for one in found if one["shortcut"] == wanted]
        if wanted and len(exact or found) == 1:
            await self._send((exact or found)[0]["text"])
            return
        if not found:
            self._chat.say("office.no_quick")
        for one in found[:LISTED]:
            self._chat.say("office.quick", shortcut=one["shortcut"], title=one["title"], text=one["text"])

    async def _send(self, text: str) -> None:
        draft = self._desk.draft(text)
        current = self._book.current
        if draft is None or current is None:
            return
        me, now = self._chat.link.hello.me, current.conversation
        ordered = now.order_id is not None
        values = {
            "customer": now.customer.name,
            "agent": me.person.name,
            "order_id": now.order_id or "",
            "order_state": self._words.word("order_state", now.order_state) if ordered else "",
            "shop": me.shop_name,
        }
        draft.text = filled(text, values)
        if left := missing(draft.text):
            names = ", ".join(f"{{{name}}}" for name in left)
            self._chat.say("office.quick_unfilled", names=names, text=draft.text)
            return
        await self._desk.send(draft)


def _sought(reply: dict[str, Any]) -> str:
    """Everything by which it is found."""
    syllables = reply["pinyin"].replace(" ", "")
    return "\n".join((reply["shortcut"], reply["initials"], syllables, reply["title"].lower()))
