"""What must not be in the logs of the nodes: tokens, passwords, and what people wrote (fault 31)."""

import asyncio
import random
import re
from urllib.parse import urlsplit

from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.people.customer import GOODBYE
from loadtest.stage.shop import PASSWORD

TALK_S = 5.0
TOKENS = re.compile(rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}|ticket=|[Bb]earer ")
"""JWTs, tickets in addresses, headers that bear a token"""
WRITTEN = (GOODBYE.encode(), b" comes for the ", b" says ")
"""of which all that customers write is made"""


async def search(scene: Scene, dice: random.Random) -> Figures:
    """Fault 31: after some talk, every line of every node's log is searched."""
    said = scene.journal.acknowledged
    await asyncio.sleep(TALK_S)
    shop, servers = scene.party.shop, scene.stage.servers
    passwords = [urlsplit(url).password for url in (servers.database_url, servers.redis_url)]
    secrets = [PASSWORD, shop.owner_token, *(word for word in passwords if word)]
    secrets += [node.environment["POINTSMAN_SECRET"] for node in scene.stage.nodes]
    lines = [
        line
        for node in scene.stage.nodes
        for log in sorted(node.folder.glob(f"{node.name}-*.log"))
        for line in log.read_bytes().splitlines()
    ]
    return {
        "acknowledged_meanwhile": scene.journal.acknowledged - said,
        "lines_searched": len(lines),
        "lines_with_tokens": sum(TOKENS.search(line) is not None for line in lines),
        "lines_with_secrets": sum(any(word.encode() in line for word in secrets) for line in lines),
        "lines_with_messages": sum(any(text in line for text in WRITTEN) for line in lines),
    }


FAMILY = (
    Fault(
        31,
        "logs searched for tokens and message text",
        "none",
        (
            Limit("acknowledged_meanwhile", at_least=1),
            Limit("lines_searched", at_least=100),
            Limit("lines_with_tokens", at_most=0),
            Limit("lines_with_secrets", at_most=0),
            Limit("lines_with_messages", at_most=0),
        ),
        search,
    ),
)
