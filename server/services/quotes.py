"""Messages about other messages of the same conversation.

What is stored with a message is what its readers are shown of the quoted one; the log refuses what may not be quoted
(recalled meanwhile, or for colleagues only), and takes the words away when the quoted one is recalled.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ConversationId, CustomerId, MessageId
from protocol.shapes import NoteBody, Quote, TextBody
from protocol.states import PersonKind
from server.session import Session
from server.store.history import History
from server.store.rows import MessageRow

EXCERPT_MAX: Final = 200
"""Characters of a quoted message that are shown with the one that quotes it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says, in two forms. `sent`: as it came; a repeat is the same. `stored`: as it is kept and shown.
    `quotes`: `seq` of the quoted entry; 0: there is none for them; None: nothing is quoted."""

    sent: dict[str, Any]
    stored: dict[str, Any]
    quotes: int | None


class Quotes:
    """Looks up what is quoted."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def said(self, session: Session, conversation_id: str, body: TextBody | NoteBody) -> Said:
        """What was said, with what is to be shown of the message that it quotes."""
        plain = body.model_dump(mode="json", exclude={"quote"})
        if body.quote is None:
            return Said(plain, plain, None)
        sent = {**plain, "quote": {"message_id": body.quote.message_id}}
        found = await self._find(session, conversation_id, body.quote)
        if found is None or found.body is None:
            return Said(sent, sent, 0)
        quote = {
            "message_id": found.message_id,
            "sender": {"kind": found.sender_kind, "id": found.sender_id, "name": found.sender_name},
            "kind": found.body["kind"],
            "excerpt": excerpt(found.body),
        }
        return Said(sent, {**plain, "quote": quote}, found.seq)

    async def _find(self, session: Session, conversation_id: str, quote: Quote) -> MessageRow | None:
        for_customer = CustomerId(session.person_id) if session.kind is PersonKind.CUSTOMER else None
        try:
            return await self._history.message(
                session.shop_id,
                ConversationId(conversation_id),
                MessageId(quote.message_id),
                for_customer=for_customer,
            )
        except RequestError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            return None


def excerpt(body: dict[str, Any]) -> str:
    """The beginning of a text in one line, or the name of what is shown."""
    words = body.get("text") or body.get("name") or body.get("title") or body.get("order_id") or ""
    line = " ".join(str(words).split())
    return line if len(line) <= EXCERPT_MAX else f"{line[: EXCERPT_MAX - 1]}…"


def unquoted(body: bytes) -> bytes:
    """A stored body for another conversation, where what it quotes is not."""
    said = orjson.loads(body)
    return orjson.dumps({name: value for name, value in said.items() if name != "quote"})
