"""What is kept: one object per aggregate of the database, and the writer of the log."""

import time
from collections.abc import Callable

from server.services.audit import Audit
from server.settings import Settings
from server.store.accounts import Accounts as AccountStore
from server.store.agent_states import AgentStates
from server.store.audit import AuditStore
from server.store.conversations import Conversations
from server.store.customers import Customers
from server.store.editing import Editing
from server.store.glass import BrokenGlass
from server.store.groups import Groups as GroupStore
from server.store.history import History
from server.store.hours import Hours
from server.store.invitations import Invitations
from server.store.lists import Lists
from server.store.log import Log
from server.store.orders import Orders
from server.store.participants import Participants as ParticipantStore
from server.store.policies import Policies as PolicyStore
from server.store.roles import Roles as RoleStore
from server.store.shops import Shops as ShopStore
from server.store.statistics import Statistics
from server.storeys.clients import Clients


class Stores(Clients):
    """Everything that asks PostgreSQL."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now=now)
        db = self.db
        self.shop_store = ShopStore(db)
        self.account_store = AccountStore(db)
        self.editing = Editing(db)
        self.group_store = GroupStore(db)
        self.hours = Hours(db)
        self.statistics = Statistics(db)
        self.agent_states = AgentStates(db)
        self.customer_store = Customers(db)
        self.order_store = Orders(db)
        self.policy_store = PolicyStore(db)
        self.role_store = RoleStore(db)
        self.glass_store = BrokenGlass(db)
        self.audit = Audit(AuditStore(db))
        self.conversations = Conversations(db)
        self.lists = Lists(db)
        self.participant_store = ParticipantStore(db)
        self.invitation_store = Invitations(db)
        self.history = History(db)
        self.writer = Log(
            db, self.node.name, backlog_max=settings.append_backlog, deadline_s=settings.database_deadline_s
        )
