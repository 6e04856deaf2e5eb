"""Between two steps: a reply is lost after COMMIT, a process dies between commit and delivery, between claim and
confirm."""

import asyncio
import random
from contextlib import suppress
from typing import Final

import asyncpg

from loadtest.children import ChildFailed
from loadtest.faults.catching_up import POLL_S, Ends
from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.insight import insight
from loadtest.faults.spread import spread
from loadtest.faults.visitor import visitor

SENDS: Final = 60
LOST_EVERY: Final = 5
"""Of so many batches one reply is lost."""
DIES_S: Final = 120.0
WITHIN_S: Final = 40.0
POINTS: Final = {"append.after_commit": 3000, "claim.before_commit": 400, "claim.before_confirm": 400}
"""Seam -> how often a node passes it before it dies there: for some twenty seconds. People who came to it a moment ago
(it was started anew with this seam) would rightly take longer to come back once more."""
_TEST_BUILD: Final = {"POINTSMAN_DEMO": "true"}


async def lost_replies(scene: Scene, dice: random.Random) -> Figures:
    """Fault 10: every few batches the reply to a COMMIT is lost; who sends it again has it once."""
    duplicates = 0
    names: list[str] = []
    async with visitor(scene, dice) as who:
        [person] = who.sessions
        for number in range(SENDS):
            said = await person.say(who.conversation, f"message {number}")
            duplicates += said.duplicate
            names.append(said.message_id)
        rows = await times_stored(scene, who.conversation, who.id)
    return {
        "sends": SENDS,
        "lost_replies": duplicates,
        "message_ids": len(set(names)),
        "rows_per_send": max(rows),
        "rows": len(rows),
    }


async def times_stored(scene: Scene, conversation: str, sender: str) -> list[int]:
    """How often each thing that somebody said is in the log."""
    connection = await asyncpg.connect(scene.stage.database_url)
    try:
        found = await connection.fetch(
            "SELECT count(*) FROM messages WHERE conversation_id = $1::text::uuid AND sender_id = $2::text::uuid "
            "GROUP BY client_message_id",
            conversation,
            sender,
        )
    finally:
        await connection.close()
    return [int(row[0]) for row in found]


async def dies_between(scene: Scene, dice: random.Random) -> Figures:
    """Fault 11: a node kills itself at each of three seams; the others deliver and finish what it had begun."""
    figures: dict[str, float] = {"delivered_s": 0.0, "finished_s": 0.0, "unfinished": 0}
    for point, times in POINTS.items():
        node = dice.choice(scene.stage.nodes)
        await node.kill()
        await node.restart({**_TEST_BUILD, "POINTSMAN_FAILPOINTS": f"{point}=exit/{times}"})
        with suppress(ChildFailed):  # it may be dead before everybody has come
            await spread(scene)
        async with asyncio.timeout(DIES_S):
            await node.child.ended()
        delivered, (finished_s, unfinished) = await asyncio.gather(_delivered_s(scene), _finished_s(scene))
        await node.restart()
        figures["delivered_s"] = max(figures["delivered_s"], delivered)
        figures["finished_s"] = max(figures["finished_s"], finished_s)
        figures["unfinished"] += unfinished
    return figures


async def _delivered_s(scene: Scene) -> float:
    """Seconds until everybody has what was in the log."""
    ends = await Ends.now(scene)
    return await ends.reached([*scene.party.agents, *scene.party.customers], WITHIN_S)


async def _finished_s(scene: Scene) -> tuple[float, int]:
    """Seconds until no decision of before is unconfirmed any more, and how many there were."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with insight(scene) as redis:
        key = f"pm:{{{scene.party.agents[0].shop}}}:unconfirmed"
        begun: set[bytes] = set(await redis.zrange(key, 0, -1))
        many = len(begun)
        while begun:
            begun &= set(await redis.zrange(key, 0, -1))
            if loop.time() - began > WITHIN_S:
                return float("inf"), many
            await asyncio.sleep(POLL_S)
        return loop.time() - began, many


FAMILY = (
    Fault(
        10,
        "COMMIT done, reply lost",
        "the resend gives `duplicate: true`, one row",
        (
            Limit("lost_replies", at_least=1),
            Limit("rows_per_send", at_most=1),
            Limit("message_ids", at_least=SENDS, at_most=SENDS),
        ),
        lost_replies,
        settings={**_TEST_BUILD, "POINTSMAN_FAILPOINTS": f"append.after_commit=fail/{LOST_EVERY}"},
    ),
    Fault(
        11,
        "crash between commit and delivery; between claim and confirm",
        "delivered, finished within 3 s by another node",
        (Limit("finished_s", at_most=3), Limit("delivered_s", at_most=3), Limit("unfinished", at_least=1)),
        dies_between,
    ),
)
