"""What the HTTP side is given, and the questions it asks of services that it does not know."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from protocol.ids import AccountId, ConversationId, ShopId
from protocol.methods.agents import SlotsResult
from protocol.methods.conversations import ExplainResult, ListParams, ListResult
from protocol.shapes import AgentCard, Conversation, Message, PoolCard
from server.http.figures import HttpFigures
from server.services.accounts import Accounts
from server.services.api_keys import ApiKeys
from server.services.audit import Audit
from server.services.authentication import Authentication
from server.services.break_glass import BreakGlass
from server.services.callers import Caller
from server.services.collaborating import Collaborating
from server.services.collaborations import Collaborations
from server.services.configuration.configurations import Configurations
from server.services.conversation_report import ConversationReport
from server.services.customer_list import CustomerList
from server.services.customers import CustomerFacts
from server.services.demo_customers import DemoCustomers
from server.services.door import Doors
from server.services.dry_run import DryRun
from server.services.endings import Endings
from server.services.file_transfer import FileTransfer
from server.services.files import FileRequests
from server.services.groups import Groups
from server.services.outcomes import OutcomeReports
from server.services.policies import Policies
from server.services.quick_replies import QuickReplies
from server.services.reassignments import Reassignments
from server.services.roles import Roles
from server.services.rules import Rules
from server.services.schedules import Schedules
from server.services.settings_history import SettingsHistory
from server.services.shop_settings import ShopSettings
from server.services.sign_in import SignIn
from server.services.sign_in_links import SignInLinks
from server.services.statistics import Reports
from server.services.wall_settings import WallSettings
from server.services.widget import WidgetSessions
from server.store.finding import Wanted


class ConversationReads(Protocol):
    """Conversations as the caller may see them. What they may not see is `not_found("conversation")`.

    An API key (`caller.account_id` None) sees all conversations of its shop.
    """

    async def list(self, caller: Caller, params: ListParams) -> ListResult:
        """One page of a list, as `conversation.list` on the wire. A cursor that is none: INVALID_PARAMS."""
        ...

    async def search(self, caller: Caller, wanted: Wanted, *, cursor: str | None, limit: int) -> ListResult:
        """One page of the conversations that match, newest first. A cursor that is none: INVALID_PARAMS."""
        ...

    async def get(self, caller: Caller, conversation: ConversationId) -> Conversation:
        """One conversation, in the staff numbering."""
        ...

    async def transcript(
        self, caller: Caller, conversation: ConversationId
    ) -> tuple[Conversation, Sequence[Message]]:
        """With its whole log, oldest first, notes included: it is for staff."""
        ...

    async def explain(self, caller: Caller, conversation: ConversationId) -> ExplainResult:
        """Why here, and why it waits (KS-22)."""
        ...


class LiveReads(Protocol):
    """Live state of one shop. Redis silent: RequestError UNAVAILABLE."""

    async def agents(self, shop: ShopId) -> list[AgentCard]:
        """All agents with status and load."""
        ...

    async def slots(self, shop: ShopId, account: AccountId) -> SlotsResult:
        """Who holds an agent's slots (KS-22); `not_found("agent")`."""
        ...

    async def pools(self, shop: ShopId) -> list[PoolCard]:
        """Every non-empty queue pool."""
        ...

    async def invariants(self, shop: ShopId) -> dict[str, int]:
        """Violations by invariant, `I3`, `I4`, `I8`: always 0 (reliability, Invariants)."""
        ...


Readiness = Callable[[], Awaitable[dict[str, str]]]
"""Why the node should get no traffic now: part -> what is wrong with it. Empty: ready. Answers within 2 s."""

Document = Callable[[], dict[str, Any]]
"""Builds a document of the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything that routes use."""

    authentication: Authentication
    doors: Doors
    audit: Audit
    sign_in: SignIn
    sign_in_links: SignInLinks
    demo_customers: DemoCustomers
    accounts: Accounts
    roles: Roles
    break_glass: BreakGlass
    groups: Groups
    schedules: Schedules
    reports: Reports
    outcomes: OutcomeReports
    conversation_report: ConversationReport
    wall_settings: WallSettings
    api_keys: ApiKeys
    customers: CustomerFacts
    customer_list: CustomerList
    reassignments: Reassignments
    collaborations: Collaborations
    policies: Policies
    rules: Rules
    quick_replies: QuickReplies
    dry_run: DryRun
    shop_settings: ShopSettings
    settings_history: SettingsHistory
    configurations: Configurations
    collaborating: Collaborating
    endings: Endings
    widget: WidgetSessions
    files: FileRequests
    file_transfer: FileTransfer
    conversations: ConversationReads
    live: LiveReads
    readiness: Readiness
    openrpc: Document
    asyncapi: Document
    metrics: HttpFigures
    version: str = "0"
    body_bytes: int = 256 * 1024
    """largest request body"""
