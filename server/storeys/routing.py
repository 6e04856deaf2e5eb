"""Who may do what, who is where, and who gets which conversation."""

import time
from collections.abc import Callable

from server.services.agent_feed import AgentFeed
from server.services.agents import Agents
from server.services.attempts import Attempts
from server.services.break_glass import BreakGlass
from server.services.casts import Casts
from server.services.delivery import Delivery
from server.services.door import Doors
from server.services.duty_times import DutyTimes
from server.services.list_feed import ListFeed
from server.services.live import Live
from server.services.live_changes import LiveChanges
from server.services.names import Names
from server.services.participants import Participants
from server.services.profiles import Profiles
from server.services.queue_feed import QueueFeed
from server.services.queue_paces import QueuePaces
from server.services.returning import Returning
from server.services.rights_feed import RightsFeed
from server.services.roles import Roles
from server.services.routing import Routing
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.workbench import Workbenches
from server.settings import Settings
from server.store.decisions import Decisions
from server.store.followed import Followed
from server.store.wall import WallReads
from server.storeys.file_parts import FileParts
from server.storeys.stores import Stores


class RoutingStorey(Stores):
    """Scope, live state, delivery, routing, and who takes part."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now=now)
        self.attempts = Attempts(self.link)
        self.shops = Shops(self.shop_store, self.account_store, self.group_store)
        self.names = Names(self.account_store, self.customer_store)
        self.scope = Scope(self.role_store, self.glass_store, self.shops)
        self.doors = Doors(self.scope, self.audit)
        self.profiles = Profiles(
            self.account_store, self.group_store, self.role_store, self.glass_store, self.hours, self.now
        )
        self.live = Live(self.link, lambda: self.node.name, self.shops, self.profiles, self.conversations)
        self.feed = AgentFeed(self.bus, self.live, self.names)
        self.casts = Casts(self.names, self.shops)
        self.paces = QueuePaces(Decisions(self.db))
        self.delivery = Delivery(
            self.bus,
            self.live,
            self.paces,
            self.names,
            self.casts,
            self.feed,
            self.participant_store,
            self.history,
        )
        self.seeing = Seeing(
            self.conversations,
            self.lists,
            Decisions(self.db),
            self.live,
            self.paces,
            self.names,
            self.casts,
            self.scope,
        )
        self.participants = Participants(
            self.participant_store,
            self.invitation_store,
            self.account_store,
            self.group_store,
            self.shops,
            self.scope,
            self.seeing,
            self.casts,
            self.delivery,
            self.bus,
            lambda: self.node.name,
        )
        self.routing = Routing(
            self.live,
            self.shops,
            self.names,
            self.customer_store,
            self.writer,
            self.delivery,
            self.participants,
            self.registry,
        )
        self.agents = Agents(
            self.live,
            self.routing,
            self.account_store,
            self.conversations,
            self.names,
            self.feed,
            self.scope,
            self.agent_states,
            self.audit,
        )
        self.queues = QueueFeed(
            self.live, self.shops, self.scope, WallReads(self.db), self.hub.holds, period_s=settings.queue_s
        )
        self.list_feed = ListFeed(
            Followed(self.db), self.seeing, self.scope, self.hub.holds, period_s=settings.lists_s
        )
        self.duty_times = DutyTimes(self.link)
        self.workbenches = Workbenches(self.shops, self.account_store, self.bus, self.background)
        self.changes = LiveChanges(
            self.shops,
            self.live,
            self.profiles,
            self.agents,
            self.routing,
            self.duty_times,
            self.workbenches,
        )
        self.rights_feed = RightsFeed(self.account_store, self.scope, self.bus, self.changes.reconcile)
        self.roles = Roles(roles=self.role_store, scope=self.scope, feed=self.rights_feed)
        self.break_glass = BreakGlass(
            glass=self.glass_store,
            accounts=self.account_store,
            feed=self.rights_feed,
            minutes_most=settings.break_glass_minutes,
        )
        self.returning = Returning(
            self.live, self.routing, self.conversations, self.writer, self.delivery, self.names
        )
        self.files = FileParts.of(settings, self.db, self.seeing, self.background)
