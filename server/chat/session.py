"""Begins and ends a run of the terminal client: signs in, connects, hands over to the customer or the agent."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from protocol.errors import RequestError
from server.chat.agent import AgentPart
from server.chat.chat import Chat
from server.chat.customer import CustomerPart
from server.chat.door import Door, Unreachable
from server.chat.identity import IdentityKey, Person, identity_token
from server.chat.language import Language
from server.chat.link import Link
from server.chat.office import Office
from server.chat.terminal import terminal

T = TypeVar("T")

NAME: Final = "pointsman-chat"
SIGN_OUT_S: Final = 3.0


class NotIn(Exception):
    """The client could not come in; the text is a sentence in the person's language."""


@dataclass(frozen=True, slots=True)
class CustomerEntry:
    """How a customer comes in: with a token of the shop's, as a person whom we sign for, or anonymously."""

    shop: str
    identity_token: str | None = None
    person: Person | None = None
    key: IdentityKey | None = None
    order_id: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class AgentEntry:
    """How an agent comes in. `stay`: leaving the program does not sign out, so the status stays."""

    shop: str
    email: str
    password: str
    stay: bool = False
    origin: str | None = None


async def customer(url: str, entry: CustomerEntry, words: Language) -> None:
    """Be a customer until they leave. Raises `NotIn`, `LinkEnded`, `UntilFailed`."""
    token = entry.identity_token
    if entry.person is not None and entry.key is not None:
        token = identity_token(entry.key, entry.shop, entry.person)
    async with Door(url, origin=entry.origin) as door:
        session = await _let_in(door.customer(entry.shop, identity_token=token), words)
        unused = [session.ticket]

        async def ticket() -> str:
            if unused:
                return unused.pop()
            again = await door.customer(entry.shop, session_token=session.session_token)
            return again.ticket

        async with Link(door.socket_url, ticket, name=NAME, origin=door.origin) as link:
            chat = Chat(words, terminal(), link)
            await chat.run(CustomerPart(chat, Office(door), order_id=entry.order_id))


async def agent(url: str, entry: AgentEntry, words: Language) -> None:
    """Be an agent until they leave, which signs out (KS-18). Raises `NotIn`, `LinkEnded`, `UntilFailed`."""
    async with Door(url, origin=entry.origin) as door:
        signed_in = await _let_in(door.sign_in(entry.shop, entry.email, entry.password), words)

        async def ticket() -> str:
            return await door.ticket(signed_in)

        try:
            async with Link(door.socket_url, ticket, name=NAME, origin=door.origin) as link:
                chat = Chat(words, terminal(), link)
                await chat.run(AgentPart(chat, Office(door, signed_in)))
        finally:
            if not entry.stay:
                # Else the server counts us offline by itself, after the shop's `offline_after_s`.
                with suppress(RequestError, TimeoutError):
                    await asyncio.wait_for(door.sign_out(signed_in), SIGN_OUT_S)


async def _let_in(asked: Awaitable[T], words: Language) -> T:
    try:
        return await asked
    except Unreachable as error:
        raise NotIn(words("error.unreachable", url=error.url, why=error.why)) from None
    except RequestError as error:
        raise NotIn(words("error.sign_in", why=error.message)) from None
