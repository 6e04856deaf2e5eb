"""Fault 11 where nobody helps: a process dies after COMMIT, and who wrote the message does not come back to send it
again. `pytest --log-cli-level=info` tells how long it took."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from loadtest.front_desk import Asker, Door, address
from loadtest.stage import PASSWORD, Stage
from protocol.ids import new_id
from server.node import NODES_KEY, lease_key, node_id

log = logging.getLogger(__name__)

WORDS = "I shall look it up."
WITHIN_S = 20.0


def message(text: str) -> dict[str, Any]:
    return {"client_message_id": new_id(), "body": {"kind": "text", "text": text}}


@pytest.mark.req("PF-05")
@pytest.mark.timeout(120)
async def test_what_nobody_sends_again_is_delivered_while_the_dead_node_still_has_its_lease(
    tmp_path: Path,
) -> None:
    async with await Stage.open(tmp_path, nodes=2) as stage:
        shop, (lives, dies) = stage.shops[0], stage.nodes
        await shop.employ(agents=1)
        await dies.kill()
        await dies.restart({"POINTSMAN_DEMO": "true", "POINTSMAN_FAILPOINTS": "append.after_commit=exit/1"})
        await dies.ready(30)
        async with (
            Door(lives.port) as desk,
            Door(dies.port) as other_desk,
            Door(lives.port, address(1)) as page,
        ):
            token = await desk.sign_in(shop.slug, shop.agents[0].email, PASSWORD)
            line, asker = await Asker.hello(desk, await desk.account_ticket(token))
            await asker.ask("agent.set_status", {"status": "online"})
            adas_line, ada = await Asker.hello(page, await page.visitor_ticket(shop.slug))
            talk = (await ada.ask("conversation.open", {"message": message("Good morning")}))["conversation"]
            assert talk["owner"], "an agent has it"
            lilys_line, lily = await Asker.hello(other_desk, await other_desk.account_ticket(token))
            said = asyncio.create_task(
                lily.ask("message.send", {"conversation_id": talk["conversation_id"], **message(WORDS)})
            )
            await dies.child.ended()
            died = time.monotonic()
            said.cancel()
            async with asyncio.timeout(WITHIN_S):
                while WORDS not in str(ada.events):
                    await asyncio.sleep(0.01)
            log.info("heard %.2f s after the death", time.monotonic() - died)
            async with Redis.from_url(stage.servers.redis_url) as redis:
                known: Any = await redis.hgetall(NODES_KEY)
                heard = {name.decode(): int(at) for name, at in known.items()}
                dead = max((name for name in heard if node_id(name) == dies.name), key=heard.__getitem__)
                assert await redis.exists(lease_key(dead)), "it is not known to be dead"
            for each in (line, adas_line, lilys_line):
                await each.close()
