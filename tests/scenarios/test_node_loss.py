"""A node is killed with -9 under load (reliability, fault 1): clients resume elsewhere, nothing is lost or doubled."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.checker import check
from loadtest.journal import Journal, Pen
from protocol.client import Client
from protocol.ids import new_id
from tests.scenarios.cluster import Cluster
from tests.scenarios.house import until

CUSTOMERS = 8
MESSAGES = 60
"""Of each customer."""
KILLED_AFTER = CUSTOMERS * MESSAGES // 3
"""Messages acknowledged when the node is killed."""


@pytest.fixture
async def cluster(migrated_database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Two nodes as processes."""
    cluster = await Cluster.start(migrated_database_url, redis_url, tmp_path)
    try:
        yield cluster
    finally:
        await cluster.stop()


def me(client: Client) -> str:
    """Who this client is to the shop."""
    assert client.session is not None
    return str(client.session.me.person.id)


class Scribe:
    """Writes down everything that people send, are told and are given."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self._pens: dict[Client, Pen] = {}

    def pen(self) -> Pen:
        """For somebody who is about to come."""
        return self.journal.pen()

    def knows(self, client: Client, pen: Pen) -> Client:
        """Whose pen it is."""
        pen.of(client)
        self._pens[client] = pen
        return client

    async def opens(self, customer: Client, text: str) -> str:
        """Ask for service; the conversation."""
        id = new_id()
        first = {"client_message_id": id, "body": {"kind": "text", "text": text}}
        self._pens[customer].sent("", id, text)
        result: Any = await customer.request("conversation.open", message=first)
        conversation = result.conversation.conversation_id
        self._pens[customer].acked(conversation, id, result.message)
        return conversation

    async def says(self, client: Client, conversation: str, text: str) -> None:
        """A message, repeated with the same id until it is acknowledged."""
        id = new_id()
        self._pens[client].sent(conversation, id, text)
        self._pens[client].acked(
            conversation, id, await client.send(conversation, text, client_message_id=id)
        )

    def close(self) -> None:
        """Everybody is still there, and has everything."""
        for pen in self._pens.values():
            pen.stayed()
        self.journal.close()


class People:
    """Two agents, who prefer different nodes, and customers on both."""

    def __init__(self, scribe: Scribe) -> None:
        self.scribe = scribe
        self.agents: list[Client] = []
        self.customers: list[Client] = []
        self.conversations: list[str] = []

    async def arrive(self, cluster: Cluster) -> "People":
        for name, by in (("Lily", cluster.prefers_b), ("Max", cluster.prefers_a)):
            pen = self.scribe.pen()
            self.agents.append(self.scribe.knows(await cluster.agent(name, by, pen.heard), pen))
        for i in range(CUSTOMERS):
            by = cluster.prefers_a if i % 2 else cluster.prefers_b
            pen = self.scribe.pen()
            customer = self.scribe.knows(await cluster.customer(f"C{i}", by, pen.heard), pen)
            self.customers.append(customer)
            self.conversations.append(await self.scribe.opens(customer, f"hello {i}"))
        return self

    def owner_of(self, conversation: str) -> Client:
        """The agent who has it, by what its customer was told."""
        customer = self.customers[self.conversations.index(conversation)]
        owner = customer.view.conversations[conversation].owner
        assert owner is not None
        [agent] = [agent for agent in self.agents if me(agent) == owner.id]
        return agent

    async def talk(self, number: int) -> None:
        """One customer writes, and is answered now and then; each message after the last one's acknowledgement."""
        customer, conversation = self.customers[number], self.conversations[number]
        for i in range(MESSAGES):
            await self.scribe.says(customer, conversation, f"{number}: question {i}")
            if i % 5 == 4:
                await self.scribe.says(self.owner_of(conversation), conversation, f"{number}: answer {i}")

    def complete(self) -> bool:
        """Whether everybody has all of their logs: each conversation has 1 + MESSAGES + answers + one assignment."""
        whole = 2 + MESSAGES + MESSAGES // 5
        return all(
            client.cursors.get(conversation) == whole
            for customer, conversation in zip(self.customers, self.conversations, strict=True)
            for client in (customer, self.owner_of(conversation))
        )


@pytest.mark.req("PF-04")
async def test_a_message_sent_on_one_node_reaches_an_agent_on_another(
    cluster: Cluster, tmp_path: Path
) -> None:
    lily = await cluster.agent("Lily", cluster.prefers_b, lambda frame: None)
    scribe = Scribe(tmp_path / "journal")
    pen = scribe.pen()
    ada = scribe.knows(await cluster.customer("Ada", cluster.prefers_a, pen.heard), pen)
    conversation = await scribe.opens(ada, "hello")
    await until(lambda: conversation in lily.logs, what="Lily's having the conversation")

    await scribe.says(ada, conversation, "from the other node")

    await until(lambda: lily.cursors.get(conversation) == 3, what="the message on Lily's node")
    scribe.close()


@pytest.mark.req("PF-04", "PF-05", "KS-18")
async def test_killing_a_node_under_load_loses_and_doubles_nothing(
    cluster: Cluster, migrated_database_url: str, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    scribe = Scribe(journal)
    people = await People(scribe).arrive(cluster)
    lily = people.agents[0]
    talks = [asyncio.create_task(people.talk(i)) for i in range(CUSTOMERS)]
    await until(lambda: scribe.journal.acknowledged >= KILLED_AFTER, what="a third of the messages")

    cluster.b.kill()
    acknowledged_before = scribe.journal.acknowledged
    await asyncio.gather(*talks)
    await until(people.complete, what="everybody's having everything")

    scribe.close()
    assert acknowledged_before < CUSTOMERS * MESSAGES, "the node was killed when all was over"
    assert lily.connections >= 2
    assert lily.session is not None
    assert lily.session.resumed
    status: Any = await lily.request("agent.slots")
    assert (status.agent.status, status.agent.counted_offline) == ("online", False)
    verdict = await check([journal], migrated_database_url)
    assert verdict.violations == []
    assert verdict.checked["acked"] == CUSTOMERS * (1 + MESSAGES + MESSAGES // 5)
