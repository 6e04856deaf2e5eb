"""Every request of the protocol: its name, its params and result, and who may call it. Deny by default.

`METHODS` names for each method the one right that an account needs for it, at any reach, and whether customers and bots
may call it; the dispatcher, the documents (OpenRPC, AsyncAPI) and the generated tests read it. How far a right reaches
is decided by services, on the thing the method is called on.
"""

from dataclasses import dataclass

from protocol.methods import agents as a
from protocol.methods import collaboration as w
from protocol.methods import conversations as c
from protocol.methods import files as f
from protocol.methods import messages as m
from protocol.methods import screen as n
from protocol.methods import session as s
from protocol.methods import supervision as u
from protocol.rights import Grants, Right
from protocol.shapes import Shape
from protocol.states import PersonKind

NOBODY: frozenset[PersonKind] = frozenset()
CUSTOMER = frozenset({PersonKind.CUSTOMER})
BOT = frozenset({PersonKind.BOT})
BOTH = CUSTOMER | BOT


@dataclass(frozen=True, slots=True)
class Method:
    """One request of the protocol. `right`: what an account needs; None: accounts may not call it at all."""

    name: str
    params: type[Shape]
    result: type[Shape]
    right: Right | None
    others: frozenset[PersonKind]
    """customers, bots: whether they may call it"""
    summary: str


def _table(*methods: Method) -> dict[str, Method]:
    return {method.name: method for method in methods}


_R = Right

METHODS: dict[str, Method] = _table(
    Method(
        "session.hello",
        s.HelloParams,
        s.HelloResult,
        _R.SIGN_IN,
        BOTH,
        "Begin or resume a session; the first request.",
    ),
    Method(
        "session.refresh",
        s.RefreshParams,
        s.RefreshResult,
        _R.SIGN_IN,
        BOTH,
        "Prolong the session with a fresh ticket.",
    ),
    Method("session.bye", s.ByeParams, s.Nothing, _R.SIGN_IN, BOTH, "Leave; the server closes with 1000."),
    Method(
        "rpc.discover",
        s.Nothing,
        s.DiscoverResult,
        _R.SIGN_IN,
        BOTH,
        "The OpenRPC document of this protocol.",
    ),
    Method("message.send", m.SendParams, m.SendResult, _R.SERVE, BOTH, "Append a message to a conversation."),
    Method("message.recall", m.RecallParams, s.Nothing, _R.SERVE, BOTH, "Take an own message or note back."),
    Method(
        "message.history", m.HistoryParams, m.HistoryResult, _R.VIEW, BOTH, "A page of a conversation's log."
    ),
    Method("read.mark", m.ReadParams, s.Nothing, _R.VIEW, BOTH, "Advance the own read mark."),
    Method("conversation.open", c.OpenParams, c.OpenResult, None, CUSTOMER, "Ask for service."),
    Method(
        "conversation.end",
        c.EndParams,
        c.ConversationResult,
        _R.SERVE,
        NOBODY,
        "End it; wrap-up begins (KS-20).",
    ),
    Method(
        "conversation.reopen",
        c.ConversationParams,
        c.ConversationResult,
        _R.SERVE,
        NOBODY,
        "Undo the end, in wrap-up.",
    ),
    Method(
        "conversation.tag",
        c.TagParams,
        c.ConversationResult,
        _R.SERVE,
        NOBODY,
        "Say what became of it, until it is closed.",
    ),
    Method(
        "conversation.choices",
        s.Nothing,
        c.ChoicesResult,
        _R.VIEW,
        CUSTOMER,
        "Result tags, or reasons for a rating, to choose from.",
    ),
    Method(
        "conversation.transfer",
        c.TransferParams,
        c.ConversationResult,
        _R.TRANSFER,
        NOBODY,
        "Give an own one to a colleague or a department.",
    ),
    Method(
        "conversation.assign",
        c.AssignParams,
        c.ConversationResult,
        _R.ASSIGN,
        NOBODY,
        "Give any one to an agent or a department.",
    ),
    Method(
        "conversation.pull",
        c.PullParams,
        c.ConversationResult,
        _R.PULL,
        NOBODY,
        "Take one from a queue pool.",
    ),
    Method(
        "conversation.requeue",
        c.RequeueParams,
        c.ConversationResult,
        _R.SERVE,
        NOBODY,
        "Back to the queue, at its age.",
    ),
    Method(
        "conversation.hand_off", c.FencedParams, c.ConversationResult, None, BOTH, "From the bot to people."
    ),
    Method(
        "conversation.list", c.ListParams, c.ListResult, _R.VIEW, NOBODY, "Conversations the caller may see."
    ),
    Method(
        "conversation.follow",
        c.FollowParams,
        s.Nothing,
        _R.VIEW,
        NOBODY,
        "Be told what changes in what one shows.",
    ),
    Method(
        "conversation.get", c.ConversationParams, c.ConversationResult, _R.VIEW, BOTH, "One conversation."
    ),
    Method(
        "conversation.earlier",
        c.EarlierParams,
        c.ListResult,
        _R.VIEW,
        CUSTOMER,
        "The customer's other conversations (CO-02).",
    ),
    Method("conversation.rate", c.RateParams, c.ConversationResult, None, CUSTOMER, "Rate the service."),
    Method(
        "conversation.leave_queue",
        c.ConversationParams,
        c.ConversationResult,
        None,
        CUSTOMER,
        "Stop waiting.",
    ),
    Method(
        "conversation.explain",
        c.ConversationParams,
        c.ExplainResult,
        _R.VIEW,
        NOBODY,
        "Why here, and why it waits (KS-22).",
    ),
    Method(
        "agent.set_status",
        a.SetStatusParams,
        a.AgentResult,
        _R.SERVE,
        BOT,
        "Online, paused or offline (KS-18).",
    ),
    Method(
        "agent.set_capacity",
        a.SetCapacityParams,
        a.AgentResult,
        _R.SERVE,
        NOBODY,
        "How many at once (KS-19).",
    ),
    Method(
        "agent.list",
        s.Nothing,
        a.AgentListResult,
        _R.VIEW,
        NOBODY,
        "Agents with status and load, and the pools.",
    ),
    Method("agent.slots", a.SlotsParams, a.SlotsResult, _R.VIEW, NOBODY, "Who holds the slots (KS-22)."),
    Method(
        "agent.targets",
        w.TargetsParams,
        w.TargetsResult,
        _R.SERVE,
        NOBODY,
        "Whom one may choose, and why not the others (GP-04).",
    ),
    Method(
        "participant.invite",
        w.InviteParams,
        w.InviteResult,
        _R.INVITE,
        NOBODY,
        "Ask colleagues or a group in (CO-01).",
    ),
    Method(
        "participant.join",
        w.TakePartParams,
        w.ParticipationResult,
        _R.SERVE,
        NOBODY,
        "Take part, invited or not (CO-01, CO-02).",
    ),
    Method("participant.decline", w.TakePartParams, s.Nothing, _R.SERVE, NOBODY, "Do not come."),
    Method("participant.leave", w.TakePartParams, s.Nothing, _R.SERVE, NOBODY, "Take part no longer."),
    Method(
        "participant.remove",
        w.RemoveParams,
        w.ParticipationResult,
        _R.SERVE,
        NOBODY,
        "Ask somebody out, or take an invitation back.",
    ),
    Method(
        "participant.invitations",
        s.Nothing,
        w.InvitationsResult,
        _R.SERVE,
        NOBODY,
        "The own open invitations.",
    ),
    Method(
        "note.send", w.NoteParams, m.SendResult, _R.SERVE, NOBODY, "Say something to colleagues only (CO-05)."
    ),
    Method(
        "mention.list", w.MentionsParams, w.MentionsResult, _R.VIEW, NOBODY, "Notes that name the caller."
    ),
    Method("mention.read", w.MentionReadParams, s.Nothing, _R.VIEW, NOBODY, "These were read."),
    Method("item.add", w.AddItemParams, w.ItemResult, _R.SERVE, NOBODY, "A piece of work (CO-08)."),
    Method(
        "item.change",
        w.ChangeItemParams,
        w.ItemResult,
        _R.SERVE,
        NOBODY,
        "Change, give or finish a piece of work.",
    ),
    Method("item.remove", w.ItemParams, w.ItemResult, _R.SERVE, NOBODY, "Not to be done after all."),
    Method("item.list", w.ItemsParams, w.ItemsResult, _R.VIEW, NOBODY, "The work of one conversation."),
    Method(
        "collaboration.list",
        s.Nothing,
        w.CollaborationsResult,
        _R.REPORT,
        NOBODY,
        "Running collaborations and alarms (CO-09).",
    ),
    Method("alarm.acknowledge", w.AlarmParams, w.AlarmResult, _R.REPORT, NOBODY, "Somebody looks after it."),
    Method("monitor.subscribe", s.Nothing, u.WallResult, _R.WATCH, NOBODY, "The wall, now and from now on."),
    Method("monitor.unsubscribe", s.Nothing, s.Nothing, _R.WATCH, NOBODY, "No longer."),
    Method(
        "monitor.watch",
        u.WatchParams,
        u.WatchResult,
        _R.WATCH,
        NOBODY,
        "Follow a conversation silently (CO-12).",
    ),
    Method("monitor.unwatch", u.UnwatchParams, u.UnwatchResult, _R.WATCH, NOBODY, "Stop following."),
    Method(
        "monitor.whisper",
        u.WhisperParams,
        m.SendResult,
        _R.WHISPER,
        NOBODY,
        "To the colleagues in it, unheard by the customer (CO-12).",
    ),
    Method(
        "monitor.speak",
        u.SpeakParams,
        w.ParticipationResult,
        _R.SPEAK,
        NOBODY,
        "Take part in the open (CO-12).",
    ),
    Method(
        "monitor.take_over",
        u.TakeOverParams,
        c.ConversationResult,
        _R.TAKE_OVER,
        NOBODY,
        "Become the owner (CO-12).",
    ),
    Method(
        "screen.ask",
        n.AskScreenParams,
        n.ScreenResult,
        _R.SERVE,
        CUSTOMER,
        "Ask somebody to show their screen (CO-04).",
    ),
    Method("screen.offer", n.OfferScreenParams, n.ScreenResult, _R.SERVE, CUSTOMER, "Show the own screen."),
    Method(
        "screen.answer",
        n.AnswerScreenParams,
        n.ScreenResult,
        _R.SERVE,
        CUSTOMER,
        "Agree to show it, or do not.",
    ),
    Method(
        "screen.signal",
        n.SignalScreenParams,
        s.Nothing,
        _R.SERVE,
        CUSTOMER,
        "One step of WebRTC's negotiation.",
    ),
    Method("screen.stop", n.StopScreenParams, n.ScreenResult, _R.SERVE, CUSTOMER, "End a share."),
    Method("file.upload", f.UploadParams, f.UploadResult, _R.SERVE, BOTH, "A place for a file (CO-04)."),
    Method("file.link", f.LinkParams, f.LinkResult, _R.VIEW, BOTH, "A file to look at (CO-04)."),
)
"""Name -> method."""


def may_call(kind: PersonKind, grants: Grants, method: Method) -> bool:
    """Whether such a person with these grants may call the method at all; services check the thing it is called on."""
    if kind is PersonKind.ACCOUNT:
        return method.right is not None and method.right in grants
    return kind in method.others
