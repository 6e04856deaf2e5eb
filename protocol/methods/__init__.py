"""Every request of the protocol: its name, its params and result, and who may call it. Deny by default.

`METHODS` is the role x method table; the dispatcher, the documents (OpenRPC, AsyncAPI) and the generated tests read it.
"""

from dataclasses import dataclass

from protocol.methods import agents as a
from protocol.methods import conversations as c
from protocol.methods import messages as m
from protocol.methods import session as s
from protocol.shapes import Shape
from protocol.states import Role

CUSTOMER = frozenset({Role.CUSTOMER})
BOT = frozenset({Role.BOT})
AGENTS = frozenset({Role.AGENT, Role.OWNER, Role.SERVICE_ADMIN})
"""Those who serve: agents, and managers who may lend a hand (KS-07, KS-21)."""
MANAGERS = frozenset({Role.OWNER, Role.SERVICE_ADMIN})
"""Those who may assign any conversation and set another's status and capacity (KS-07, KS-18)."""
OBSERVERS = frozenset({Role.OWNER, Role.ADMIN, Role.SERVICE_ADMIN, Role.SUPERVISOR, Role.OPERATIONS})
STAFF = AGENTS | OBSERVERS
EVERYBODY = STAFF | CUSTOMER | BOT


@dataclass(frozen=True, slots=True)
class Method:
    """One request of the protocol."""

    name: str
    params: type[Shape]
    result: type[Shape]
    roles: frozenset[Role]
    summary: str


def _table(*methods: Method) -> dict[str, Method]:
    return {method.name: method for method in methods}


METHODS: dict[str, Method] = _table(
    Method(
        "session.hello",
        s.HelloParams,
        s.HelloResult,
        EVERYBODY,
        "Begin or resume a session; the first request.",
    ),
    Method(
        "session.refresh",
        s.RefreshParams,
        s.RefreshResult,
        EVERYBODY,
        "Prolong the session with a fresh ticket.",
    ),
    Method("session.bye", s.ByeParams, s.Nothing, EVERYBODY, "Leave; the server closes with 1000."),
    Method("rpc.discover", s.Nothing, s.DiscoverResult, EVERYBODY, "The OpenRPC document of this protocol."),
    Method(
        "message.send",
        m.SendParams,
        m.SendResult,
        AGENTS | CUSTOMER | BOT,
        "Append a message to a conversation.",
    ),
    Method("message.recall", m.RecallParams, s.Nothing, AGENTS | CUSTOMER | BOT, "Take an own message back."),
    Method("message.history", m.HistoryParams, m.HistoryResult, EVERYBODY, "A page of a conversation's log."),
    Method("read.mark", m.ReadParams, s.Nothing, EVERYBODY, "Advance the own read mark."),
    Method("conversation.open", c.OpenParams, c.OpenResult, CUSTOMER, "Ask for service."),
    Method(
        "conversation.end", c.FencedParams, c.ConversationResult, AGENTS, "End it; wrap-up begins (KS-20)."
    ),
    Method(
        "conversation.reopen", c.ConversationParams, c.ConversationResult, AGENTS, "Undo the end, in wrap-up."
    ),
    Method(
        "conversation.transfer",
        c.TransferParams,
        c.ConversationResult,
        AGENTS,
        "Give an own one to a colleague.",
    ),
    Method(
        "conversation.assign", c.AssignParams, c.ConversationResult, MANAGERS, "Give any one to an agent."
    ),
    Method("conversation.pull", c.PullParams, c.ConversationResult, AGENTS, "Take one from a queue pool."),
    Method(
        "conversation.requeue",
        c.RequeueParams,
        c.ConversationResult,
        AGENTS,
        "Back to the queue, at its age.",
    ),
    Method(
        "conversation.hand_off",
        c.FencedParams,
        c.ConversationResult,
        BOT | CUSTOMER,
        "From the bot to people.",
    ),
    Method("conversation.list", c.ListParams, c.ListResult, STAFF, "Conversations the caller may see."),
    Method("conversation.get", c.ConversationParams, c.ConversationResult, EVERYBODY, "One conversation."),
    Method("conversation.rate", c.RateParams, c.ConversationResult, CUSTOMER, "Rate the service."),
    Method("conversation.leave_queue", c.ConversationParams, c.ConversationResult, CUSTOMER, "Stop waiting."),
    Method(
        "conversation.explain",
        c.ConversationParams,
        c.ExplainResult,
        STAFF,
        "Why here, and why it waits (KS-22).",
    ),
    Method(
        "agent.set_status",
        a.SetStatusParams,
        a.AgentResult,
        AGENTS | BOT,
        "Online, paused or offline (KS-18).",
    ),
    Method("agent.set_capacity", a.SetCapacityParams, a.AgentResult, AGENTS, "How many at once (KS-19)."),
    Method("agent.list", s.Nothing, a.AgentListResult, STAFF, "Agents with status and load, and the pools."),
    Method("agent.slots", a.SlotsParams, a.SlotsResult, STAFF, "Who holds the slots (KS-22)."),
)
"""Name -> method."""


def may_call(roles: frozenset[Role], method: Method) -> bool:
    """Whether somebody with these roles may call the method at all; services check the thing it is called on."""
    return not roles.isdisjoint(method.roles)
