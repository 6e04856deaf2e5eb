"""What people of a shop may do, and how far: the only table of rights.

A role is a named set of grants, a grant is a right with a reach. A shop may change the grants of every role but
`owner`, and make roles of its own; `BUILT_IN` is what holds until it does (GP-02, CO-06). Whether a grant covers one
conversation, person or customer is decided by the scope engine, by `Reach` alone.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from protocol.states import Role


class Right(StrEnum):
    """One thing that somebody may do. Requests and routes name exactly one each."""

    SIGN_IN = "account.sign_in"
    """what every account may do; not to be granted or taken away"""
    SERVE = "conversation.serve"
    """answer and end what one owns or takes part in"""
    PULL = "conversation.pull"
    """see what waits, and take it (KS-14, KS-21)"""
    TRANSFER = "conversation.transfer"
    """give an own conversation to somebody within reach (GP-02)"""
    ASSIGN = "conversation.assign"
    """give any conversation within reach to anybody within reach (KS-07)"""
    INVITE = "conversation.invite"
    """bring somebody within reach into a conversation (CO-01, CO-06)"""
    JOIN = "conversation.join"
    """join a conversation within reach without an invitation"""
    VIEW = "conversation.view"
    """read conversations within reach"""
    WATCH = "conversation.watch"
    """follow a conversation live and silently (CO-12)"""
    WHISPER = "conversation.whisper"
    """speak to the colleagues in a watched conversation, unheard by the customer (CO-12)"""
    SPEAK = "conversation.speak"
    """join a conversation in the open, beside its owner (CO-12)"""
    TAKE_OVER = "conversation.take_over"
    """become the owner of somebody else's conversation (CO-12)"""
    AGENT_MANAGE = "agent.manage"
    """set status, capacity and working hours of agents within reach (KS-18, KS-19)"""
    CUSTOMER_VIEW = "customer.view"
    CUSTOMER_EDIT = "customer.edit"
    """tags and notes"""
    CUSTOMER_ASSIGN = "customer.assign"
    """give customers within reach to somebody within reach (GP-07)"""
    REPORT = "report.view"
    """statistics, running collaborations and alarms of those within reach (GP-05, CO-09)"""
    REPLIES = "quick_reply.edit"
    """write quick replies: one's own, those of groups within reach, at reach `all` also the shop's"""
    SETTINGS_VIEW = "settings.view"
    ROUTING = "routing.manage"
    """routing settings, groups, collaboration settings, holidays (KS-23)"""
    RULES = "rule.manage"
    """automation rules (CO-07)"""
    ACCOUNTS = "account.manage"
    ROLES = "role.manage"
    """grants of roles"""
    INTEGRATION = "integration.manage"
    """keys, origins, identity, and the data of the shop's own systems"""
    AUDIT = "audit.view"
    OPERATE = "server.operate"
    BREAK_GLASS = "account.break_glass"
    """lend reach over everything for a short time, with a reason (owner)"""


class Reach(IntEnum):
    """How far a right goes; the wider holds when several roles grant it."""

    OWN = 1
    """oneself, and what one takes part in"""
    GROUPS = 2
    """also the people who share a group with one, what they serve, and what waits for those groups"""
    ALL = 3
    """the whole shop"""

    @property
    def word(self) -> str:
        """As it is written on the wire and in the database."""
        return self.name.lower()


REACH_OF: Mapping[str, Reach] = MappingProxyType({reach.word: reach for reach in Reach})
"""The word on the wire -> reach."""

Grants = Mapping[Right, Reach]
"""A set of rights, each with its reach."""

UNSCOPED = frozenset(
    {
        Right.SIGN_IN,
        Right.SETTINGS_VIEW,
        Right.ROUTING,
        Right.RULES,
        Right.ACCOUNTS,
        Right.ROLES,
        Right.INTEGRATION,
        Right.AUDIT,
        Right.OPERATE,
        Right.BREAK_GLASS,
    }
)
"""Rights about the shop as a whole: they are granted at reach `all` or not at all."""
OWNER_ONLY = frozenset({Right.BREAK_GLASS, Right.SIGN_IN})
"""Rights that no role but the built-in ones can hold."""
LASTING = frozenset({Right.ACCOUNTS, Right.ROLES, Right.INTEGRATION, Right.BREAK_GLASS})
"""Rights by which somebody could keep what was lent to them: they are never lent."""
FIXED_ROLES = frozenset({Role.OWNER, Role.BOT, Role.CUSTOMER})
"""Roles that no shop can change: without the first nobody could mend the others."""

_ALL: Grants = MappingProxyType(dict.fromkeys(Right, Reach.ALL))


def _grants(*rights: Right, own: Iterable[Right] = ()) -> Grants:
    return MappingProxyType(
        {
            Right.SIGN_IN: Reach.ALL,
            **dict.fromkeys(rights, Reach.ALL),
            **dict.fromkeys(own, Reach.OWN),
        }
    )


_R = Right
BUILT_IN: Mapping[str, Grants] = MappingProxyType(
    {
        Role.OWNER: _ALL,
        Role.ADMIN: _grants(
            _R.VIEW,
            _R.CUSTOMER_VIEW,
            _R.CUSTOMER_EDIT,
            _R.CUSTOMER_ASSIGN,
            _R.REPORT,
            _R.AGENT_MANAGE,
            _R.REPLIES,
            _R.SETTINGS_VIEW,
            _R.ROUTING,
            _R.RULES,
            _R.ACCOUNTS,
            _R.ROLES,
            _R.INTEGRATION,
            _R.AUDIT,
            _R.OPERATE,
        ),
        Role.SERVICE_ADMIN: _grants(
            _R.SERVE,
            _R.PULL,
            _R.TRANSFER,
            _R.ASSIGN,
            _R.INVITE,
            _R.JOIN,
            _R.VIEW,
            _R.WATCH,
            _R.WHISPER,
            _R.SPEAK,
            _R.TAKE_OVER,
            _R.AGENT_MANAGE,
            _R.CUSTOMER_VIEW,
            _R.CUSTOMER_EDIT,
            _R.CUSTOMER_ASSIGN,
            _R.REPORT,
            _R.REPLIES,
            _R.SETTINGS_VIEW,
            _R.ROUTING,
            _R.RULES,
            _R.AUDIT,
        ),
        Role.SUPERVISOR: _grants(
            _R.VIEW,
            _R.JOIN,
            _R.INVITE,
            _R.WATCH,
            _R.WHISPER,
            _R.SPEAK,
            _R.TAKE_OVER,
            _R.CUSTOMER_VIEW,
            _R.CUSTOMER_EDIT,
            _R.REPORT,
            _R.SETTINGS_VIEW,
            _R.TRANSFER,  # what was taken over is given back to somebody
            own=(_R.SERVE, _R.REPLIES),
        ),
        Role.OPERATIONS: _grants(_R.VIEW, _R.CUSTOMER_VIEW, _R.REPORT, _R.SETTINGS_VIEW, _R.OPERATE),
        Role.AGENT: _grants(
            _R.PULL,
            _R.TRANSFER,
            _R.INVITE,
            _R.CUSTOMER_VIEW,
            own=(_R.SERVE, _R.VIEW, _R.CUSTOMER_EDIT, _R.REPORT, _R.REPLIES),
        ),
        Role.BOT: _grants(own=(_R.SERVE, _R.VIEW)),
    }
)
"""Role -> grants, until the shop says otherwise."""


LENT: Grants = MappingProxyType({right: Reach.ALL for right in Right if right not in LASTING})
"""What break-glass gives, beside what somebody has anyway."""


def words(grants: Grants) -> dict[str, str]:
    """Grants as they are written on the wire: right -> reach, in the order of rights."""
    return {right.value: grants[right].word for right in Right if right in grants}


def united(sets: Iterable[Grants]) -> Grants:
    """The grants of somebody with several roles: every right, at its widest reach."""
    together: dict[Right, Reach] = {}
    for grants in sets:
        for right, reach in grants.items():
            together[right] = max(reach, together.get(right, reach))
    return MappingProxyType(together)
