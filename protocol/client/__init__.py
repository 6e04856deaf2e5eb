"""The reference client (asyncio): sign in, connect, ask, hear, and come back without losing or doubling anything.

The only part of `protocol` with a clock and I/O. Bots, tests and the load test are built on it.

    tickets = account_tickets(http, "my-shop", "ann@example.com", "secret")
    async with Client("wss://chat.example.com/ws", tickets) as client:
        await client.send(conversation_id, "Good morning")
        async for heard in client.subscribe():
            print(heard.event.name, heard.params)
"""

from protocol.client.link import TicketSource
from protocol.client.logs import Log
from protocol.client.reconnect import Patience
from protocol.client.session import Client
from protocol.client.signin import (
    Tokens,
    WidgetSession,
    account_ticket,
    account_tickets,
    sign_in,
    widget_session,
    widget_tickets,
)
from protocol.client.subscription import Subscription
from protocol.client.view import View

__all__ = [
    "Client",
    "Log",
    "Patience",
    "Subscription",
    "TicketSource",
    "Tokens",
    "View",
    "WidgetSession",
    "account_ticket",
    "account_tickets",
    "sign_in",
    "widget_session",
    "widget_tickets",
]
