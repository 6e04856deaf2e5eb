"""What people do in conversations: messages, notes, requests, rules, supervision, divided work, screens."""

import time
from collections.abc import Callable

from server.services.conversations import ConversationRequests
from server.services.ending_requests import EndRequests
from server.services.handing_over import HandingOver
from server.services.messages import Messages
from server.services.quotes import Quotes
from server.services.screen_log import ScreenLog
from server.services.screens import ScreenLimits, Screens
from server.services.shares import Shares
from server.services.targets import Targets
from server.settings import Settings, ice_servers_of
from server.storeys.automation_parts import AutomationParts
from server.storeys.routing import RoutingStorey
from server.storeys.supervision_parts import SupervisionParts
from server.storeys.together_parts import TogetherParts
from server.storeys.work_parts import WorkParts
from server.sweeps.screens import ScreensHeld


class Conversing(RoutingStorey):
    """One object per use case of the wire."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now=now)
        self.quotes = Quotes(self.history)
        self.together = TogetherParts.of(
            db=self.db,
            link=self.link,
            bus=self.bus,
            background=self.background,
            writer=self.writer,
            history=self.history,
            conversations=self.conversations,
            scope=self.scope,
            seeing=self.seeing,
            delivery=self.delivery,
            participants=self.participants,
            files=self.files.requests,
            audit=self.audit,
            quotes=self.quotes,
            node=lambda: self.node.name,
        )
        self.messages = Messages(
            self.writer,
            self.history,
            self.conversations,
            self.shops,
            self.returning,
            self.delivery,
            self.seeing,
            self.names,
            self.together.naming,
            self.together.drafts,
            self.background,
            self.files.requests,
            self.quotes,
        )
        self.requests = ConversationRequests(
            self.conversations,
            self.order_store,
            self.shops,
            self.live,
            self.routing,
            self.messages,
            self.seeing,
            self.names,
            self.queues,
        )
        self.ending = EndRequests(
            self.conversations, self.shops, self.routing, self.delivery, self.seeing, self.audit
        )
        self.targets = Targets(
            self.live,
            self.account_store,
            self.group_store,
            self.names,
            self.seeing,
            self.participants,
            self.scope,
        )
        self.handing_over = HandingOver(
            self.live,
            self.routing,
            self.shops,
            self.writer,
            self.delivery,
            self.names,
            self.seeing,
            self.scope,
            self.targets,
        )
        self.automation = AutomationParts.of(
            settings,
            db=self.db,
            bus=self.bus,
            background=self.background,
            shops=self.shops,
            live=self.live,
            names=self.names,
            seeing=self.seeing,
            delivery=self.delivery,
            routing=self.routing,
            writer=self.writer,
            participants=self.participants,
            handing_over=self.handing_over,
        )
        self.supervision = SupervisionParts.of(
            settings,
            db=self.db,
            link=self.link,
            present=self.hub.holds,
            node=lambda: self.node.name,
            shops=self.shops,
            live=self.live,
            scope=self.scope,
            seeing=self.seeing,
            audit=self.audit,
            statistics=self.statistics,
            participants=self.participants,
            notes=self.together.notes,
            routing=self.routing,
        )
        self.work = WorkParts.of(
            settings,
            db=self.db,
            node=self.node,
            bus=self.bus,
            background=self.background,
            shops=self.shops,
            names=self.names,
            scope=self.scope,
            seeing=self.seeing,
            delivery=self.delivery,
            audit=self.audit,
        )
        self.shares = Shares(self.link)
        self.screens = Screens(
            self.shares,
            self.seeing,
            self.names,
            self.attempts,
            self.bus,
            ScreenLog(self.writer, self.delivery),
            ScreenLimits(ice_servers_of(settings.ice_servers), settings.screen_signal_bytes),
        )
        self.screens_held = ScreensHeld(
            self.shares,
            self.screens,
            self.conversations,
            self.hub.sessions,
            away_s=settings.screen_away_s,
            answer_s=settings.screen_answer_s,
        )
