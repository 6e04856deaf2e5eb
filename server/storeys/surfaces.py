"""What the world sees of a node: the socket and the HTTP side."""

import asyncio
import time
from collections.abc import Callable

from fastapi import FastAPI
from hiredis import ReplyError
from starlette.routing import WebSocketRoute

from protocol.schema import asyncapi, openrpc
from protocol.version import VERSION
from router.redis_link import LinkError
from server.allowances import file_rules, reply_limits
from server.gateway.endpoint import Gateway
from server.gateway.origin import Origins
from server.handlers import handlers, notices
from server.http.api import build_api
from server.http.deps import Deps
from server.http.figures import HttpFigures
from server.http.pages import page_routes
from server.metrics import GatewayCollector
from server.services.collaborating import Collaborating
from server.services.configuration.configurations import Configurations
from server.services.configuration.effects import ConfigurationEffects
from server.services.conversation_report import ConversationReport
from server.services.customers import CustomerFacts
from server.services.demo_customers import DemoCustomers
from server.services.dry_run import DryRun
from server.services.endings import Endings
from server.services.groups import Groups
from server.services.identity import IdentityTokens
from server.services.known_origins import KnownOrigins
from server.services.outcomes import OutcomeReports
from server.services.policies import Policies
from server.services.quick_replies import QuickReplies
from server.services.reads import ConversationReads, LiveReads
from server.services.schedules import Schedules
from server.services.settings_history import SettingsHistory
from server.services.shop_settings import ShopSettings
from server.services.sign_in_links import SignInLinks
from server.services.statistics import ReportKeys, Reports
from server.services.widget import WidgetSessions
from server.settings import Settings
from server.store.audit import AuditStore
from server.store.conversation_lines import ConversationLines
from server.store.finding import Finding
from server.store.outcomes import Outcomes
from server.store.quick_replies import QuickReplies as ReplyStore
from server.storeys.identity import Identity


class Surfaces(Identity):
    """`gateway` and `web`."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(settings, now=now)
        self.gateway = Gateway(
            opener=self.sessions,
            handlers=handlers(
                self.requests,
                self.ending,
                self.messages,
                self.agents,
                self.handing_over,
                self.targets,
                self.files.requests,
                self.supervision,
                self.screens,
                self.work,
                self.together,
                self.list_feed,
            ),
            notices=notices(self.together),
            door=self.doors,
            hub=self.hub,
            origins=Origins(KnownOrigins(self.shop_store).known, allow_loopback=settings.demo),
            limits=self.limits,
        )
        self.registry.register(
            GatewayCollector(self.gateway.metrics, {**self.gateway.gauges(), **self._gauges()})
        )
        self.policies = Policies(self.policy_store, self.account_store, self.group_store, self.changes)
        self.endings = Endings(self.shop_store, self.editing, self.shops)
        self.dry_run = DryRun(self.policies, self.routing.foresee)
        self.live_reads = LiveReads(self.agents, self.live, self.conversations)
        facts = CustomerFacts(
            customers=self.customer_store,
            orders=self.order_store,
            retagged=self.automation.automation.customer_retagged,
        )
        report_keys = ReportKeys(self.account_store, self.group_store)
        replies = QuickReplies(
            ReplyStore(self.db),
            accounts=self.account_store,
            groups=self.group_store,
            roles=self.role_store,
            scope=self.scope,
            bus=self.bus,
            limits=reply_limits(settings),
        )
        links = SignInLinks(self.link, self.sign_in, demo=settings.demo)
        self.web: FastAPI = build_api(
            Deps(
                authentication=self.authentication,
                doors=self.doors,
                audit=self.audit,
                sign_in=self.sign_in,
                sign_in_links=links,
                demo_customers=DemoCustomers(self.shop_store, links),
                accounts=self.accounts,
                roles=self.roles,
                break_glass=self.break_glass,
                groups=Groups(
                    groups=self.group_store,
                    accounts=self.account_store,
                    policies=self.policy_store,
                    editing=self.editing,
                    live=self.changes,
                ),
                reports=Reports(
                    self.statistics,
                    self.agent_states,
                    self.shops,
                    report_keys,
                    self.scope,
                ),
                outcomes=OutcomeReports(Outcomes(self.db), self.shops, report_keys, self.scope),
                conversation_report=ConversationReport(
                    ConversationLines(self.db), self.shops, self.scope, self.audit
                ),
                wall_settings=self.supervision.wall_settings,
                schedules=Schedules(
                    groups=self.group_store,
                    accounts=self.account_store,
                    hours=self.hours,
                    editing=self.editing,
                    shops=self.shops,
                    scope=self.scope,
                    live=self.changes,
                    now=self.now,
                ),
                api_keys=self.api_keys,
                customers=facts,
                customer_list=self.work.customers,
                reassignments=self.work.reassignments,
                collaborations=self.work.collaborations,
                policies=self.policies,
                rules=self.automation.rules,
                quick_replies=replies,
                configurations=Configurations(
                    editing=self.editing,
                    scope=self.scope,
                    kinds=frozenset(kind.value for kind in file_rules(settings).kinds),
                    limits=replies.limits,
                    effects=ConfigurationEffects(
                        shops=self.shops,
                        accounts=self.account_store,
                        live=self.changes,
                        rights=self.rights_feed,
                        rules=self.automation.rules,
                        replies=replies,
                    ),
                ),
                dry_run=self.dry_run,
                shop_settings=ShopSettings(self.shop_store, self.editing),
                settings_history=SettingsHistory(AuditStore(self.db), self.role_store, self.scope),
                collaborating=Collaborating(self.shop_store, self.editing, self.shops),
                endings=self.endings,
                widget=WidgetSessions(
                    shops=self.shop_store,
                    customers=self.customer_store,
                    facts=facts,
                    tokens=self.tokens,
                    identity_tokens=IdentityTokens(self.link),
                    authentication=self.authentication,
                    attempts=self.attempts,
                ),
                files=self.files.requests,
                file_transfer=self.files.transfer,
                conversations=ConversationReads(self.seeing, Finding(self.db), self.history, self.scope),
                live=self.live_reads,
                readiness=self.readiness,
                openrpc=openrpc,
                asyncapi=asyncapi,
                metrics=HttpFigures(self.registry),
                version=VERSION,
            )
        )
        self.web.router.routes.append(WebSocketRoute("/ws", self.gateway.endpoint))
        self.web.router.routes.extend(page_routes(demo=settings.demo))

    async def readiness(self) -> dict[str, str]:
        """Why this node should get no traffic now; empty: it may."""
        problems: dict[str, str] = {}
        if not self.gateway.accepting:
            problems["gateway"] = "draining"
        if self.node.lapsed:
            problems["node"] = "no lease"
        try:
            await self.link.call("PING")
        except (LinkError, ReplyError) as error:
            problems["redis"] = str(error)
        try:
            await self.db.ping()
        except Exception as error:  # whatever it is, it is the answer
            problems["postgresql"] = str(error)
        return problems

    def _gauges(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """Depths of everything that can fill up; names are a contract (docs/operations)."""
        return {
            "append_backlog": ("Entries waiting for PostgreSQL.", lambda: self.writer.backlog),
            "redis_calls_under_way": ("Calls to Redis without a reply yet.", lambda: self.link.under_way),
            "bus_backlog_bytes": (
                "Pushes for other nodes waiting for Redis.",
                lambda: self.bus.backlog_bytes,
            ),
            "background_work": ("Deliveries under way after their reply.", lambda: len(self.background)),
            "walls": ("Subscriptions to supervisors' walls.", lambda: len(self.supervision.walls)),
            "file_uploads": ("Uploads under way.", lambda: self.files.transfer.under_way),
            "node_standing_by": (
                "1 while Redis answers no node; sends go on, routing waits.",
                lambda: float(self.node.standing_by),
            ),
            "node_lapsed": ("1 while this node has no lease.", lambda: float(self.node.lapsed)),
            "tasks": ("Tasks of the event loop.", lambda: len(asyncio.all_tasks())),
        }
