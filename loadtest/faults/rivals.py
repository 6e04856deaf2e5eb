"""The same thing wanted several times at once."""

import asyncio
import random
from typing import Final

from loadtest import races
from loadtest.faults.fault import Fault, Figures, Limit, Scene
from loadtest.faults.seams import times_stored
from loadtest.faults.visitor import visitor
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.methods.messages import SendResult

AT_ONCE: Final = 10
ROUNDS: Final = 30
FEW: Final = 3
"""rounds in mixed runs"""
TABLES: Final = 3
"""in each of the two shops"""
SEEDS: Final = 200
"""In the table; `python -m loadtest races` has as many as one likes."""


async def ten_at_once(scene: Scene, dice: random.Random) -> Figures:
    """Fault 16: one message is sent ten times at the same moment over two nodes; then other words under its name."""
    return await _ten_at_once(scene, dice, ROUNDS)


async def ten_at_once_briefly(scene: Scene, dice: random.Random) -> Figures:
    """A few messages."""
    return await _ten_at_once(scene, dice, FEW)


async def _ten_at_once(scene: Scene, dice: random.Random, rounds: int) -> Figures:
    numbers, first_answers, told = 0, 0, 0
    async with visitor(scene, dice, sessions=2) as who:
        pens = [person.pen for person in who.sessions]
        for round_ in range(rounds):
            name, text = new_id(), f"round {round_}"
            pens[0].sent(who.conversation, name, text)
            sends = [
                who.sessions[turn % 2].ask(
                    "message.send",
                    conversation_id=who.conversation,
                    client_message_id=name,
                    body={"kind": "text", "text": text},
                )
                for turn in range(AT_ONCE)
            ]
            answers = [each for each in await asyncio.gather(*sends) if isinstance(each, SendResult)]
            for answer in answers:
                pens[0].acked(who.conversation, name, answer)
            numbers = max(numbers, len({(answer.seq, answer.message_id) for answer in answers}))
            first_answers = max(first_answers, sum(not answer.duplicate for answer in answers))
            told += await _other_words(dice.choice(who.sessions), who.conversation, name)
        rows = await times_stored(scene, who.conversation, who.id)
    return {
        "sends": rounds * AT_ONCE,
        "numbers_per_message": numbers,
        "first_answers": first_answers,
        "rows_per_message": max(rows),
        "rows": len(rows),
        "refused_1010": told,
    }


async def _other_words(person: races.Person, conversation: str, name: str) -> bool:
    """Whether another body under a name that is taken is refused with 1010."""
    try:
        await person.ask(
            "message.send",
            conversation_id=conversation,
            client_message_id=name,
            body={"kind": "text", "text": "other words"},
        )
    except RequestError as refusal:
        return refusal.code is ErrorCode.IDEMPOTENCY_CONFLICT
    return False


async def raced(scene: Scene, dice: random.Random) -> Figures:
    """Fault 17: some hundred races in shops of their own, beside the load."""
    first = dice.randrange(1_000_000)
    by_hand, busy = [await scene.stage.found(f"race-{first}-{kind}") for kind in ("hand", "busy")]
    path = scene.stage.folder / f"races-{first}"
    outcome = await races.on(
        scene.stage, by_hand, busy, path, SEEDS, first, lambda done, of: None, tables=TABLES
    )
    return {
        "races": outcome.seeds,
        "wrong": len(outcome.wrong),
        "violations": sum(outcome.verdict.broken.values()),
        "races_per_s": outcome.seeds / outcome.seconds,
    }


FAMILY = (
    Fault(
        16,
        "the same send ten times, in parallel, on two nodes",
        "one row, one `seq`; another body: 1010",
        (
            Limit("numbers_per_message", at_most=1, at_least=1),
            Limit("first_answers", at_most=1),
            Limit("rows_per_message", at_most=1, at_least=1),
            Limit("refused_1010", at_least=ROUNDS, at_most=ROUNDS),
        ),
        ten_at_once,
        brief=ten_at_once_briefly,
    ),
    Fault(
        17,
        "races: transfers, pulls, end against message, capacity against claim",
        "I3, I4, I8; exactly one winner, the other told",
        (
            Limit("races", at_least=SEEDS),
            Limit("wrong", at_most=0),
            Limit("violations", at_most=0),
        ),
        raced,
    ),
)
