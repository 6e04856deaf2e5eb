"""Random verbs as data: a sequence is a list of `Verb`, made from a seed, playable on any engine, and cut to pieces
when it fails. Names are few, so that verbs meet; nothing depends on what the engines answered, so that any part of a
sequence is a sequence."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from protocol.ids import AccountId, ConversationId, CustomerId, GroupId
from protocol.states import AgentStatus, Life, PauseMode
from router.model import (
    NORMAL,
    PRIORITY,
    Contact,
    ConversationState,
    Plan,
    Profile,
    Remembered,
    Request,
)
from router.policy import Policy
from router.rules import plan

START_MS = 1_800_000_000_000
DAY_MS = 86_400_000
MOST_MS = 20 * 3_600_000
"""A sequence lasts less than a day of fencing."""

AGENTS = ["a0", "a1", "a2", "a3", "boss", "robot"]
CONVERSATIONS = [f"c{number}" for number in range(10)]
GROUPS = ["g1", "g2", "g3"]
POOLS = ["default", "trade_done", "placed_unpaid", "after_sale"]
STATES = ["trade_done", "placed_unpaid", "after_sale", "no_active_order"]
NODES = ["n1:aaaa", "n2:bbbb", "n3:cccc"]
PEOPLE = [*AGENTS, *AGENTS, "u0", "u1"]
GRACES = [1_000, 60_000, 300_000, None]
TICKS = [0, 0, 0, 1, 1, 500, 20_000, 60_000, 60_000, 300_000, 1_200_000]

BOUND = {"trade_done": ["g1"], "placed_unpaid": ["g1", "g2"], "after_sale": ["g3", "g2"]}
GROUPED = {"mode": "grouped", "order_state_groups": BOUND}
OFFLINE = {"offline_routing": True, "offline_list": ["a0", "a1"]}
BOT = {"bot": {"enabled": True, "account": "robot"}}
POLICIES = [
    Policy.parse(data)
    for data in (
        {},
        {"distribution": "least_loaded", **OFFLINE},
        {"returning_customer_priority": True, "new_customer_priority": True, "wrap_up_holds_slot": False},
        GROUPED,
        {**GROUPED, **OFFLINE, "sticky_over_capacity": 1},
        {
            **GROUPED,
            "distribution": "least_loaded",
            "new_customer_priority": True,
            "wrap_up_holds_slot": False,
        },
        {**GROUPED, **BOT, "returning_customer_priority": True},
        {**BOT, **OFFLINE, "new_customer_priority": True},
    )
]


@dataclass(frozen=True)
class Verb:
    """One call. `tick_ms` passes before it; `node` asks; a repeat carries the op id of an earlier one."""

    name: str
    op_id: str
    tick_ms: int
    node: str
    args: dict[str, Any]

    def __str__(self) -> str:
        said = ", ".join(f"{name}={shorten(repr(value), 3_000)}" for name, value in self.args.items())
        return f"+{self.tick_ms} {self.node} {self.op_id} {self.name}({said})"


def shorten(text: str, most: int) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[:most]} ..."


class Author:
    """Writes one sequence from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.crowded = self.random.random() < 0.06
        """now and then so many wait that one verb cannot give all of them out"""
        self.passed_ms = 0
        self.policy = self.random.choice(POLICIES)
        self.writers: dict[Callable[[], tuple[str, dict[str, Any]]], int] = {
            self.claim: 16,
            self.assign: 6,
            self.pull: 5,
            self.requeue: 6,
            self.end: 8,
            self.reopen: 4,
            self.close: 5,
            self.set_priority: 5,
            self.set_status: 8,
            self.set_profile: 7,
            self.connect: 7,
            self.disconnect: 6,
            self.expire: 7,
            self.set_policy: 4,
            self.remove_agent: 2,
            self.confirm: 2,
            self.fill: 1,
            self.reap: 1,
            self.rebuild: 1,
        }

    def sequence(self, length: int) -> list[Verb]:
        """`length` verbs, the first of which makes the shop live."""
        verbs = [Verb("rebuild", "op0", 0, NODES[0], self.rebuild()[1])]
        while len(verbs) < length:
            if self.random.random() < 0.06:
                # within the minute for which first outcomes are kept; moments later, or asked by another node
                verbs.append(replace(verbs[-1], tick_ms=self.random.choice([0, 1, 500]), node=self.node()))
            else:
                (writer,) = self.random.choices(list(self.writers), weights=list(self.writers.values()))
                tick_ms = self.random.choice(TICKS) if self.passed_ms < MOST_MS else 0
                self.passed_ms += tick_ms
                name, args = writer()
                verbs.append(Verb(name, f"op{len(verbs)}", tick_ms, self.node(), args))
        return verbs

    def node(self) -> str:
        return self.random.choices(NODES, weights=[8, 1, 1])[0]

    # --- one writer per verb -----------------------------------------------------------------------------------------
    def claim(self) -> tuple[str, dict[str, Any]]:
        draw = self.random
        now_ms = START_MS + self.passed_ms
        takes_from = draw.choice([None, None, self.agent()])
        request = Request(
            ConversationId(draw.choice(CONVERSATIONS)),
            CustomerId("u0"),
            arrived_ms=now_ms - draw.choice([0, 0, 1, 500]),
            order_state=draw.choice(STATES),
            last_contact=draw.choice([None, Contact(self.agent(), now_ms - 1_000)]),
            new_customer_priority=draw.random() < 0.3,
            via_bot=draw.random() < 0.3,
            bot=draw.choice([None, AccountId("robot")]),
            epoch=0 if takes_from else draw.choice([0, 0, 3]),
            rev=0 if takes_from else draw.choice([0, 0, 7]),
        )
        made: Plan = plan(request, self.some_policy(), now_ms=now_ms, groups_exist=draw.random() < 0.9)
        return "claim", {"plan": made, "rand": draw.randrange(2**31), "takes_from": takes_from}

    def assign(self) -> tuple[str, dict[str, Any]]:
        args: dict[str, Any] = {
            "conversation": self.conversation(),
            "agent": self.agent(),
            "by": AccountId("boss"),
        }
        args["stay"] = self.random.choice([None, None, "", '= "why" / 为何 \n'])
        args["expected_load"] = self.random.choice([None, None, 0, 1, 2])
        return "assign", args | self.maybe_epoch()

    def pull(self) -> tuple[str, dict[str, Any]]:
        what = self.random.choice([{}, {"pool": self.pool()}, {"conversation": self.conversation()}])
        return "pull", {"agent": self.agent()} | what

    def requeue(self) -> tuple[str, dict[str, Any]]:
        pool = self.random.choice([None, None, self.pool()])
        return "requeue", {
            "conversation": self.conversation(),
            "pool": pool,
            "by": self.by(),
        } | self.maybe_epoch()

    def end(self) -> tuple[str, dict[str, Any]]:
        wrap_up_ms = self.random.choice([0, 1_000, 60_000, 1_200_000])
        args = {"conversation": self.conversation(), "wrap_up_ms": wrap_up_ms, "by": self.by()}
        return "end", args | self.maybe_epoch()

    def reopen(self) -> tuple[str, dict[str, Any]]:
        return "reopen", {"conversation": self.conversation(), "by": self.by()}

    def close(self) -> tuple[str, dict[str, Any]]:
        expected = self.random.choice([None, None, Life.QUEUED, Life.ACTIVE, Life.WRAP_UP])
        return "close", {"conversation": self.conversation(), "expected": expected, "by": self.by()}

    def set_priority(self) -> tuple[str, dict[str, Any]]:
        priority = self.random.choice([NORMAL, PRIORITY])
        return "set_priority", {"conversation": self.conversation(), "priority": priority, "by": self.by()}

    def fill(self) -> tuple[str, dict[str, Any]]:
        return "fill", {}

    def set_status(self) -> tuple[str, dict[str, Any]]:
        return "set_status", {"agent": self.agent(), "status": self.status()}

    def set_profile(self) -> tuple[str, dict[str, Any]]:
        return "set_profile", {"profile": self.profile(self.agent())}

    def remove_agent(self) -> tuple[str, dict[str, Any]]:
        return "remove_agent", {"agent": self.agent()}

    def set_policy(self) -> tuple[str, dict[str, Any]]:
        self.policy = self.random.choice(POLICIES)
        return "set_policy", {"policy": self.policy.live(groups_exist=True)}

    def connect(self) -> tuple[str, dict[str, Any]]:
        return "connect", self.connection() | {"offline_after_ms": self.random.choice(GRACES)}

    def disconnect(self) -> tuple[str, dict[str, Any]]:
        return "disconnect", self.connection()

    def expire(self) -> tuple[str, dict[str, Any]]:
        draw = self.random
        return "expire", {
            "requeue_after_ms": draw.choice([0, 60_000, 600_000]),
            "limit": draw.choice([1, 2, 100]),
        }

    def reap(self) -> tuple[str, dict[str, Any]]:
        return "reap", {"node": self.random.choice(NODES[1:])}

    def confirm(self) -> tuple[str, dict[str, Any]]:
        names = [(self.conversation(), self.random.randrange(12)) for _ in range(8)]
        return "confirm", {"decisions": names}

    def rebuild(self) -> tuple[str, dict[str, Any]]:
        draw = self.random
        staff = draw.sample(AGENTS, draw.randint(2, len(AGENTS)))
        live = draw.sample(CONVERSATIONS, draw.randint(0, 6))
        crowd = [f"crowd{number:03}" for number in range(150)] if self.crowded else []
        return "rebuild", {
            "policy": self.policy.live(groups_exist=True),
            "profiles": [(self.profile(AccountId(name)), self.status()) for name in staff],
            "conversations": [self.state(name) for name in live] + [self.waiting(name) for name in crowd],
            "offline_after_ms": draw.choice(GRACES),
            "remembered": Remembered(
                grace_ms={AccountId(name): draw.choice(GRACES) for name in staff if draw.random() < 0.6},
                away=frozenset(AccountId(name) for name in staff if draw.random() < 0.2),
            ),
        }

    # --- parts -------------------------------------------------------------------------------------------------------
    def agent(self) -> AccountId:
        return AccountId(self.random.choice(AGENTS))

    def by(self) -> AccountId | None:
        return self.random.choice([None, AccountId("boss")])

    def conversation(self) -> ConversationId:
        return ConversationId(self.random.choice(CONVERSATIONS))

    def pool(self) -> str:
        return self.random.choice(POOLS)

    def status(self) -> AgentStatus:
        return self.random.choice(
            [AgentStatus.ONLINE, AgentStatus.ONLINE, AgentStatus.PAUSED, AgentStatus.OFFLINE]
        )

    def some_policy(self) -> Policy:
        return self.policy if self.random.random() < 0.8 else self.random.choice(POLICIES)

    def maybe_epoch(self) -> dict[str, Any]:
        return self.random.choice([{}, {}, {"expected_epoch": self.random.randrange(4)}])

    def connection(self) -> dict[str, Any]:
        draw = self.random
        person = draw.choice(PEOPLE)
        return {
            "person": person,
            "connection": f"{person}-{draw.randrange(3)}",
            "node_at": draw.choice(NODES),
        }

    def profile(self, agent: AccountId) -> Profile:
        draw = self.random
        chance = draw.random
        at_n = chance() < 0.2
        return Profile(
            agent,
            capacity=draw.choice([1, 1, 2, 3, 100]) if self.crowded else draw.choice([1, 1, 2, 3]),
            groups=tuple(GroupId(group) for group in draw.sample(GROUPS, draw.randint(0, 3))),
            excluded=chance() < 0.1,
            on_duty=chance() < 0.9,
            on_offline_list=chance() < 0.4,
            pause_mode=PauseMode.AT_N if at_n else draw.choice([PauseMode.BY_HAND, PauseMode.NEVER]),
            pause_at=draw.choice([1, 2]) if at_n else draw.choice([None, 1]),
            routable=agent not in ("boss", "robot") and chance() < 0.9,
            is_owner=agent == "boss" or chance() < 0.05,
        )

    def state(self, name: str) -> ConversationState:
        draw = self.random
        life = draw.choice([Life.QUEUED, Life.ACTIVE, Life.ACTIVE, Life.WRAP_UP, Life.CLOSED])
        waits = self.waiting(name)
        if life is Life.QUEUED:
            return waits
        until = START_MS + self.passed_ms + draw.choice([0, 60_000]) if life is Life.WRAP_UP else None
        return replace(waits, life=life, owner=self.agent(), wrap_up_until_ms=until)

    def waiting(self, name: str) -> ConversationState:
        draw = self.random
        return ConversationState(
            ConversationId(name),
            Life.QUEUED,
            owner=None,
            epoch=draw.randrange(3),
            rev=draw.randrange(1, 5),
            priority=draw.choice([NORMAL, NORMAL, PRIORITY]),
            arrived_ms=START_MS + self.passed_ms - draw.randrange(5_000),
            pool=draw.choice([None, *POOLS]),
            previous_owner=draw.choice([None, AccountId("a1")]),
        )
