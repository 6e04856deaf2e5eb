"""A person of an injection's own: somebody who does only what the fault needs, at the node that it needs."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from loadtest.faults.fault import Scene
from loadtest.front_desk import address
from loadtest.people import PROFILES
from loadtest.people.customer import GOODBYE
from loadtest.people.person import Person, World, page_door
from protocol.client import widget_tickets
from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.methods.conversations import OpenResult

FIRST = 4_000
"""Addresses from this number on are theirs."""


@asynccontextmanager
async def visitor(scene: Scene, dice: random.Random, *, sessions: int = 1) -> AsyncGenerator["Visitor"]:
    """One customer with so many sessions, on as many nodes as there are, each on its own; a conversation is open.

    At the end the customer says goodbye, and an agent ends the conversation.
    """
    shop = scene.party.shop
    door = page_door(scene.stage.port, address(FIRST + dice.randrange(1_000)))
    tickets = widget_tickets(door, shop.slug)
    people: list[Person] = []
    try:
        for number in range(sessions):
            port = scene.stage.nodes[number % len(scene.stage.nodes)].port
            world = World(port, shop.slug, PROFILES["slow"], scene.book, scene.journal)
            person = Person(f"visitor {number}", world, tickets, dice)
            people.append(person)
            await person.client.start()
        name, text = new_id(), "a question"
        people[0].pen.sent("", name, text)
        message = {"client_message_id": name, "body": {"kind": "text", "text": text}}
        opened = await people[0].ask("conversation.open", message=message)
        assert isinstance(opened, OpenResult)
        assert opened.message is not None, "sent with it"
        conversation = opened.conversation.conversation_id
        people[0].pen.acked(conversation, name, opened.message)
        yield Visitor(people, conversation)
        try:
            await people[0].say(conversation, GOODBYE)
        except RequestError:
            scene.book.count("overtaken")  # an agent has ended it already
    finally:
        for person in people:
            await person.leave()
        await door.aclose()


class Visitor:
    """The customer of an injection. `sessions`: one on each node."""

    def __init__(self, sessions: list[Person], conversation: str) -> None:
        self.sessions = sessions
        self.conversation = conversation

    @property
    def id(self) -> str:
        """Who they are to the server."""
        return self.sessions[0].id
