"""Named points at which a test build of this process goes wrong on purpose, so that harm can be proven to be noticed.

`POINTSMAN_FAILPOINTS="append.after_commit=exit/3 delivery.drop/10000"`: at every third batch the process kills itself
after its COMMIT, and one push of a log entry in 10,000 is lost. A rule is `<point>[=<action>[:<seconds>]][/<n>]`: every
n-th time that the point is passed (without it: each time). Rules are separated by spaces.

Refused outside demo mode (`Settings.failpoints`). Off, which is always but in such tests, a point is one test of an
empty dict.
"""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_RULE: Final = re.compile(r"^([a-z_.]+)(?:=([a-z]+)(?::([0-9.]+))?)?(?:/([1-9][0-9]*))?$")
_ANY: Final = frozenset({"exit", "fail", "delay"})
"""`exit`: as kill -9. `fail`: as if the connection had ended. `delay`: wait for so many seconds."""
POINTS: Final[dict[str, frozenset[str]]] = {
    # a batch of the log is about to be sent to PostgreSQL; it was committed, and nobody has heard of it
    "append.before_commit": _ANY,
    "append.after_commit": _ANY,
    # live state has a decision that the log has not; the log has it, and live state does not know
    "claim.before_commit": _ANY - {"fail"},
    "claim.before_confirm": _ANY - {"fail"},
    # a push of a log entry is lost on its way to one socket
    "delivery.drop": frozenset({"drop"}),
    # what was made durable is told to nobody: the node died between COMMIT and publishing
    "publish.drop": frozenset({"drop"}),
    # the log takes an agent's words without asking whose the conversation is
    "fence.skip": frozenset({"skip"}),
    # the step of the routing scripts that counts a slot is done twice, as by a repeat that nobody recognised
    "script.repeat": frozenset({"repeat"}),
}
"""Point -> what can happen there; where it is one thing only, it need not be said."""
_COUNTED: Final = "take_slot(c, a, reason, true)"


@dataclass(slots=True)
class Rule:
    """What happens at one point."""

    action: str
    seconds: float
    every: int
    passed: int = 0

    def due(self) -> bool:
        """Whether this time; counts."""
        self.passed += 1
        return self.passed % self.every == 0


armed: Final[dict[str, Rule]] = {}
"""The rules of this process. Ask `if armed and ...`: empty, it costs nothing."""


def parse(text: str) -> dict[str, Rule]:
    """Rules by point. Raises ValueError, which says what is wrong."""
    rules: dict[str, Rule] = {}
    for word in text.split():
        found = _RULE.match(word)
        if found is None or found[1] not in POINTS:
            raise ValueError(f"{word!r} is no rule; points are {', '.join(POINTS)}")
        actions = POINTS[found[1]]
        action = found[2] or (next(iter(actions)) if len(actions) == 1 else "")
        if action not in actions:
            raise ValueError(f"{found[1]} can {', '.join(sorted(actions))}, not {action or 'nothing'}")
        if (action == "delay") != (found[3] is not None):
            raise ValueError(f"{word!r}: seconds belong to `delay`, as in delay:0.5")
        rules[found[1]] = Rule(action, float(found[3] or 0), int(found[4] or 1))
    return rules


def arm(text: str) -> None:
    """From now on these rules hold in this process, instead of those before. Raises ValueError."""
    rules = parse(text)
    armed.clear()
    armed.update(rules)


def strikes(point: str) -> bool:
    """Whether something happens here this time, for points at which only one thing can."""
    rule = armed.get(point)
    return rule is not None and rule.due()


async def hit(point: str) -> None:
    """Do what the rule of this point says, if it is its turn. Raises ConnectionResetError for `fail`."""
    if not strikes(point):
        return
    rule = armed[point]
    if rule.action == "exit":
        os.kill(os.getpid(), signal.SIGKILL)
    elif rule.action == "fail":
        raise ConnectionResetError(f"failpoint {point}")
    await asyncio.sleep(rule.seconds)


def scripts(sources: Mapping[str, str]) -> dict[str, str]:
    """Sources of Lua scripts as this build has them."""
    if "script.repeat" not in armed:
        return dict(sources)
    return {name: source.replace(_COUNTED, f"{_COUNTED} {_COUNTED}") for name, source in sources.items()}
