"""Requests about the session itself."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from protocol.cards import Invitation, Mention, Workbench
from protocol.shapes import AgentCard, Conversation, Id, Party, PoolCard, Rev, Seq, Shape, Timestamp


class ClientInfo(Shape):
    """What the client says about itself; `device` decides after how long without a connection an agent is offline."""

    name: Annotated[str, StringConstraints(max_length=64)] = "unknown"
    version: Annotated[str, StringConstraints(max_length=32)] = "0"
    device: Literal["web", "desktop", "mobile", "server"] = "web"


class Resume(Shape):
    """What a returning client has: per conversation the highest contiguous `seq`."""

    session_id: Id
    cursors: Annotated[dict[Id, Seq], Field(max_length=1000)] = {}
    rev: Rev = 0


class HelloParams(Shape):
    """`ticket` is single-use, from `POST /v1/tickets` or `POST /v1/widget/sessions`; absent with an
    Authorization header."""

    ticket: Annotated[str, StringConstraints(max_length=256)] | None = None
    client: ClientInfo = ClientInfo()
    resume: Resume | None = None


class Limits(Shape):
    """What the server accepts, so that clients need not guess."""

    frame_bytes: int
    text_bytes: int
    messages_per_s: int
    message_burst: int
    typing_interval_ms: int


class Me(Shape):
    """Who the session belongs to."""

    person: Party
    shop_id: Id
    shop_name: str
    roles: list[str]


class SessionSnapshot(Shape):
    """The state to begin with; logs are fetched with `message.history`. Events keep it true from here on (I7).

    Customers: their open conversation, if any. Accounts: the open conversations that they own, take part in or watch,
    and themselves as an agent.
    """

    conversations: list[Conversation]
    me: AgentCard | None = None
    watching: list[Id] = []
    """which of them the caller only watches"""
    invitations: list[Invitation] = []
    mentions: list[Mention] = []
    """unread, newest first, at most 50"""
    rights: dict[str, str] = {}
    """right -> reach (`own`, `groups`, `all`); what is absent is not granted"""
    pools: list[PoolCard] = []
    """where somebody waits whom the caller may take"""
    workbench: Workbench | None = None
    """for accounts: what their workbench goes by"""


class HelloResult(Shape):
    """The session begins. Missed events follow, then `session.ready`."""

    session_id: Id
    resumed: bool
    """true: the cursors were honoured; only what was missed follows. false: begin from `snapshot`."""
    epoch: str
    """names the live state; it changes when that was lost and rebuilt"""
    heartbeat_ms: int
    limits: Limits
    server_time: Timestamp
    expires_at: Timestamp
    me: Me
    snapshot: SessionSnapshot


class RefreshParams(Shape):
    """A fresh ticket of the same person."""

    ticket: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class RefreshResult(Shape):
    """The session lives until then."""

    expires_at: Timestamp


class ByeParams(Shape):
    """`sign_out` true also sets an agent offline."""

    sign_out: bool = False


class Nothing(Shape):
    """No members."""


class DiscoverResult(Shape):
    """The OpenRPC document."""

    openrpc: str
    info: dict[str, Any]
    methods: list[dict[str, Any]]
    components: dict[str, Any] = {}
