"""Two JSON-RPC clients that we did not write sign in, open, send and receive (protocol: standard JSON-RPC 2.0)."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonrpc_base import ProtocolError
from jsonrpc_websocket import Server

from protocol.states import Role
from tests.scenarios.house import House, Shop, until

FOREIGN = Path(__file__).parents[1] / "foreign"
PASSWORD = "correct horse battery staple"
NPM_WITHIN_S = 90.0


async def open_shop(house: House) -> tuple[Shop, str, str, str]:
    """A shop that browsers may reach, with an agent who can sign in; its slug, their e-mail, and the origin."""
    shop = await house.shop()
    origin = house.nodes[0].url
    await shop.app.shop_store.set_origins(shop.id, "widget", (origin,))
    lily = await shop.account("Lily", Role.AGENT)
    await shop.app.account_store.rehash(shop.id, lily.id, await shop.app.passwords.hash(PASSWORD))
    return shop, (await shop.app.shop_store.get(shop.id)).slug, lily.email, origin


class Stranger:
    """One side of a conversation over `jsonrpc-websocket`."""

    def __init__(self, url: str, origin: str) -> None:
        socket = url.replace("http", "ws") + "/ws"
        self.rpc: Any = Server(socket, headers={"Origin": origin}, protocols=("pointsman.v1",))
        self.texts: list[str] = []
        self.ready = asyncio.Event()
        self.given: list[str] = []
        self.rpc.message.created = self._created
        self.rpc.conversation.assigned = self._assigned
        self.rpc.session.ready = self._ready

    async def arrives(self, ticket: str) -> Any:
        """Connect and say hello; returns when the session is live."""
        self.loop = await self.rpc.ws_connect()
        hello = await self.rpc.session.hello(
            ticket=ticket, client={"name": "jsonrpc-websocket", "device": "web"}
        )
        await self.ready.wait()
        return hello

    async def leaves(self) -> None:
        await self.rpc.close()
        await self.loop

    def _ready(self, **_: Any) -> None:
        self.ready.set()

    def _assigned(self, *, conversation: dict[str, Any], **_: Any) -> None:
        self.given.append(conversation["conversation_id"])

    def _created(self, *, body: dict[str, Any], **_: Any) -> None:
        if body["kind"] == "text":
            self.texts.append(body["text"])


@pytest.mark.req("PF-01")
async def test_jsonrpc_websocket_signs_in_opens_sends_and_receives(house: House) -> None:
    _, slug, email, origin = await open_shop(house)
    here, there = house.nodes[0].url, house.nodes[-1].url
    async with httpx.AsyncClient(base_url=here, headers={"Origin": origin}, trust_env=False) as http:
        login = {"shop": slug, "email": email, "password": PASSWORD}
        signed_in = (await http.post("/v1/auth/login", json=login)).json()
        bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
        ticket = (await http.post("/v1/tickets", json={}, headers=bearer)).json()
        session = (await http.post("/v1/widget/sessions", json={"shop": slug})).json()
    agent, customer = Stranger(here, origin), Stranger(there, origin)
    assert (await agent.arrives(ticket["ticket"]))["me"]["person"]["name"] == "Lily"
    await agent.rpc.agent.set_status(status="online")
    await customer.arrives(session["ticket"])

    opened = await customer.rpc.conversation.open(
        message={"client_message_id": "first", "body": {"kind": "text", "text": "hello from aiohttp"}}
    )
    conversation = opened["conversation"]["conversation_id"]
    # What was said before it was theirs is in the log.
    await until(lambda: conversation in agent.given, what="the agent's being given it")
    page = await agent.rpc.message.history(conversation_id=conversation, after_seq=0)
    assert page["messages"][0]["body"] == {"kind": "text", "text": "hello from aiohttp", "quote": None}
    await agent.rpc.message.send(
        conversation_id=conversation, client_message_id="answer", body={"kind": "text", "text": "hello back"}
    )
    await until(lambda: "hello back" in customer.texts, what="the customer's reading it")
    await customer.rpc.message.send(
        conversation_id=conversation, client_message_id="thanks", body={"kind": "text", "text": "thanks"}
    )
    await until(lambda: "thanks" in agent.texts, what="the agent's reading it")

    with pytest.raises(ProtocolError) as refused:
        await customer.rpc.agent.list()
    assert refused.value.args[0] == 1003
    await agent.leaves()
    await customer.leaves()


@pytest.mark.req("PF-01")
@pytest.mark.timeout(300)
async def test_json_rpc_2_0_of_npm_signs_in_opens_sends_and_receives(house: House, tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip(
            "node and npm are needed for the client from npm; neither the server nor its users need them"
        )
    for name in ("package.json", "package-lock.json", ".npmrc", "client.mjs"):
        shutil.copy(FOREIGN / name, tmp_path / name)
    await _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", within=tmp_path)
    _, slug, email, origin = await open_shop(house)

    said = await _run(node, "client.mjs", house.nodes[-1].url, origin, slug, email, PASSWORD, within=tmp_path)

    assert json.loads(said) == {
        "owner": "Lily",
        "history": ["hello from node"],
        "answer_seq": 3,
        "agent_read": ["hello to node", "thanks"],
        "customer_read": ["hello from node", "hello to node", "thanks"],
        "refused": {"code": 1003, "reason": "no_right"},
    }


async def _run(*command: str, within: Path) -> str:
    """A program's standard output; fails with all it said when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=within, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        said, complained = await asyncio.wait_for(process.communicate(), NPM_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"{command[0]} did not end within {NPM_WITHIN_S:g} s") from None
    assert process.returncode == 0, f"{' '.join(command[:2])}: {complained.decode()}\n{said.decode()}"
    return said.decode()
