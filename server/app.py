"""The composition root: makes every part of one node and joins them. Starts top to bottom, stops in reverse.

The only file that sees the whole house. It decides nothing; what can be decided is in `settings` and in the parts.
"""

import time
from collections.abc import Callable

import structlog
from fastapi import FastAPI
from hiredis import ReplyError
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.routing import WebSocketRoute

from protocol.codes import CloseCode
from protocol.ids import AccountId, ConversationId, PersonId, ShopId
from protocol.schema import asyncapi, openrpc
from protocol.states import AgentStatus
from protocol.version import VERSION
from router.redis_link import LinkError, RedisLink
from router.scripts import load as routing_scripts
from server.automation_parts import AutomationParts
from server.background import Background
from server.bus import Bus
from server.file_parts import FileParts
from server.gateway.endpoint import Gateway
from server.gateway.hub import Hub
from server.gateway.origin import Origins
from server.handlers import handlers, notices
from server.http.api import build_api
from server.http.deps import Deps
from server.http.figures import HttpFigures
from server.limits import GatewayLimits, Rate
from server.metrics import GatewayCollector
from server.node import Node
from server.push import Control
from server.scripts import SCRIPTS
from server.services.accounts import Accounts
from server.services.agent_feed import AgentFeed
from server.services.agents import Agents
from server.services.api_keys import ApiKeys
from server.services.attempts import Attempts
from server.services.audit import Audit
from server.services.authentication import Authentication
from server.services.casts import Casts
from server.services.break_glass import BreakGlass
from server.services.collaborating import Collaborating
from server.services.conversations import ConversationRequests
from server.services.customers import CustomerFacts
from server.services.delivery import Delivery
from server.services.door import Doors
from server.services.dry_run import DryRun
from server.services.duty_times import DutyTimes
from server.services.groups import Groups
from server.services.handing_over import HandingOver
from server.services.identity import IdentityTokens
from server.services.known_origins import KnownOrigins
from server.services.live import Live
from server.services.live_changes import LiveChanges
from server.services.messages import Messages
from server.services.names import Names
from server.services.participants import Participants
from server.services.passwords import Passwords
from server.services.policies import Policies
from server.services.profiles import Profiles
from server.services.reads import ConversationReads, LiveReads
from server.services.returning import Returning
from server.services.rights_feed import RightsFeed
from server.services.roles import Roles
from server.services.routing import Routing
from server.services.schedules import Schedules
from server.services.scope import Scope
from server.services.screen_log import ScreenLog
from server.services.screens import ScreenLimits, Screens
from server.services.seeing import Seeing
from server.services.sessions import Sessions
from server.services.shares import Shares
from server.services.shop_settings import ShopSettings
from server.services.shops import Shops
from server.services.sign_in import SignIn
from server.services.statistics import Reports
from server.services.targets import Targets
from server.services.tickets import Tickets
from server.services.tokens import Tokens
from server.services.widget import WidgetSessions
from server.settings import Settings, ice_servers_of
from server.store.accounts import Accounts as AccountStore
from server.store.api_keys import ApiKeys as ApiKeyStore
from server.store.audit import AuditStore
from server.store.conversations import Conversations
from server.store.customers import Customers
from server.store.database import Database
from server.store.decisions import Decisions
from server.store.finding import Finding
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
from server.store.tokens import RefreshTokens
from server.supervision_parts import SupervisionParts
from server.sweeps.deadlines import Deadlines
from server.sweeps.duty import Duty
from server.sweeps.housekeeping import Housekeeping
from server.sweeps.invitations import OverdueInvitations
from server.sweeps.loans import Loans
from server.sweeps.presence import DeadNodes, Liveness
from server.sweeps.queue_places import QueuePlaces
from server.sweeps.repairs import Repairs
from server.sweeps.runner import Runner, Sweep
from server.sweeps.screens import ScreensHeld
from server.sweeps.strays import Strays
from server.sweeps.summing import SummingUp
from server.sweeps.unused_files import UnusedFiles
from server.together_parts import TogetherParts
from server.work_parts import WorkParts

log = structlog.get_logger("app")

STRAYS_S = 15.0
HOUSEKEEPING_S = 3600.0
STATISTICS_S = 60.0
UNUSED_FILES_S = 60.0
FINISH_S = 3.0
"""How long deliveries and farewells under way may take at the end."""


def gateway_limits(settings: Settings) -> GatewayLimits:
    """What of the gateway's limits can be set from outside."""
    return GatewayLimits(
        frame_bytes=settings.frame_bytes,
        handshake_s=settings.hello_s,
        hello_s=settings.hello_s,
        heartbeat_s=settings.heartbeat_s,
        silence_s=settings.silence_s,
        customer_rate=Rate(settings.customer_messages_per_s, settings.customer_burst),
        account_rate=Rate(settings.agent_messages_per_s, settings.agent_burst),
        request_deadline_s=settings.request_deadline_s,
        connections=settings.connections,
        customer_connections=settings.connections_per_person,
        account_connections=settings.connections_per_person,
        drain_share_per_s=settings.drain_wave_percent / 100,
        drain_s=settings.drain_s,
    )


class App:
    """One node of the server. `web` is the ASGI application; `start` before serving it, `stop` after.

    `now`: seconds since 1970, the clock that working hours go by.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.now = now
        self._leaving = False
        self.limits = gateway_limits(settings)
        self._clients(settings)
        self._stores(settings)
        self._services(settings)
        self._screens(settings)
        self._surfaces(settings)
        self._sweeps(settings)

    # --- parts, in the order in which they need each other -----------------------------------------------------------
    def _clients(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        redis_url = settings.redis_url.get_secret_value()
        self.db = Database(
            settings.database_url.get_secret_value(),
            pool_max=settings.database_pool,
            deadline_s=settings.database_deadline_s,
        )
        self.link = RedisLink(
            redis_url, scripts={**routing_scripts(), **SCRIPTS}, time_out_s=settings.redis_timeout_s
        )
        self.redis: Redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - redis-py's **kwargs
            redis_url,
            socket_timeout=settings.redis_timeout_s,
            socket_connect_timeout=settings.redis_timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self.hub = Hub()
        self.node = Node(
            self.link,
            settings.node,
            lease_s=settings.lease_s,
            renew_s=settings.lease_renew_s,
            on_fenced=self._fenced,
            on_registered=self._registered,
        )
        self.bus = Bus(
            self.link,
            redis_url,
            self.hub,
            self.node,
            on_gap=self._resync,
            stream_length=settings.stream_entries,
        )
        self.background = Background()

    def _stores(self, settings: Settings) -> None:
        db = self.db
        self.shop_store = ShopStore(db)
        self.account_store = AccountStore(db)
        self.group_store = GroupStore(db)
        self.hours = Hours(db)
        self.statistics = Statistics(db)
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

    def _services(self, settings: Settings) -> None:
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
        self.delivery = Delivery(
            self.bus, self.live, self.names, self.casts, self.feed, self.participant_store
        )
        self.routing = Routing(
            self.live, self.shops, self.names, self.customer_store, self.writer, self.delivery, self.registry
        )
        self.seeing = Seeing(
            self.conversations, self.lists, Decisions(self.db), self.live, self.names, self.casts, self.scope
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
        self.agents = Agents(
            self.live, self.routing, self.account_store, self.conversations, self.names, self.feed, self.scope
        )
        self.duty_times = DutyTimes(self.link)
        self.changes = LiveChanges(
            self.shops, self.live, self.profiles, self.agents, self.routing, self.duty_times
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
        )
        self.requests = ConversationRequests(
            self.conversations,
            self.order_store,
            self.shops,
            self.live,
            self.routing,
            self.messages,
            self.delivery,
            self.seeing,
            self.names,
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
            self.participants,
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
        self._identity(settings)
        self.sessions = Sessions(
            self.authentication,
            self.link,
            self.live,
            self.routing,
            self.shops,
            self.agents,
            self.feed,
            self.seeing,
            self.lists,
            self.history,
            self.limits,
            self.scope,
            self.supervision.watching,
            self.participants,
            self.together.naming,
        )

    def _identity(self, settings: Settings) -> None:
        self.tokens = Tokens(
            settings.secret.get_secret_value(),
            access_s=settings.access_token_s,
            customer_s=settings.customer_token_s,
        )
        self.tickets = Tickets(self.redis, ticket_s=settings.ticket_s, session_s=settings.session_s)
        self.api_keys = ApiKeys(ApiKeyStore(self.db))
        self.authentication = Authentication(
            tokens=self.tokens,
            tickets=self.tickets,
            api_keys=self.api_keys,
            accounts=self.account_store,
            shops=self.shop_store,
        )
        self.passwords = Passwords()
        self.attempts = Attempts(self.redis)
        self.refresh_tokens = RefreshTokens(self.db)
        self.accounts = Accounts(
            accounts=self.account_store,
            roles=self.role_store,
            scope=self.scope,
            refresh_tokens=self.refresh_tokens,
            passwords=self.passwords,
            revoke=self._revoke,
            audit=self.audit,
            live=self.changes,
        )
        self.sign_in = SignIn(
            shops=self.shop_store,
            accounts=self.account_store,
            refresh_tokens=self.refresh_tokens,
            tokens=self.tokens,
            passwords=self.passwords,
            attempts=self.attempts,
            people=self.accounts,
            signed_out=self._signed_out,
            audit=self.audit,
            background=self.background,
            tries_per_minute=settings.login_per_minute,
            refresh_s=settings.refresh_token_s,
        )

    def _screens(self, settings: Settings) -> None:
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

    def _surfaces(self, settings: Settings) -> None:
        self.gateway = Gateway(
            opener=self.sessions,
            handlers=handlers(
                self.requests, self.messages, self.agents, self.handing_over, self.targets,
                self.files.requests, self.supervision, self.screens, self.work, self.together,
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
        self.live_reads = LiveReads(self.agents, self.live, self.shops)
        facts = CustomerFacts(
            customers=self.customer_store,
            orders=self.order_store,
            retagged=self.automation.automation.customer_retagged,
        )
        self.web: FastAPI = build_api(
            Deps(
                authentication=self.authentication,
                doors=self.doors,
                audit=self.audit,
                sign_in=self.sign_in,
                accounts=self.accounts,
                roles=self.roles,
                break_glass=self.break_glass,
                groups=Groups(
                    groups=self.group_store,
                    accounts=self.account_store,
                    policies=self.policy_store,
                    live=self.changes,
                ),
                reports=Reports(
                    self.statistics, self.shops, self.account_store, self.group_store, self.scope
                ),
                schedules=Schedules(
                    groups=self.group_store,
                    accounts=self.account_store,
                    hours=self.hours,
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
                dry_run=DryRun(self.policies),
                shop_settings=ShopSettings(self.shop_store),
                collaborating=Collaborating(self.shop_store, self.shops),
                widget=WidgetSessions(
                    shops=self.shop_store,
                    customers=self.customer_store,
                    facts=facts,
                    tokens=self.tokens,
                    identity_tokens=IdentityTokens(self.redis),
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
            "node_lapsed": ("1 while this node has no lease.", lambda: float(self.node.lapsed)),
        }

    def _sweeps(self, settings: Settings) -> None:
        deadlines = Deadlines(self.shops, self.live, self.routing, self.conversations, self.feed)
        repairs = Repairs(
            self.shops,
            self.live,
            self.routing,
            self.returning,
            self.conversations,
            self.names,
            settings.unconfirmed_s,
        )
        places = QueuePlaces(
            self.shops,
            self.live,
            self.conversations,
            self.bus,
            settings.queue_places_told,
            settings.queue_places_s,
        )
        dead = DeadNodes(
            self.node, self.shops, self.routing, self.history, self.delivery, settings.redeliver_s
        )
        liveness = Liveness(self.live, self.sessions, self.hub.sessions)
        self.duty = Duty(
            self.shops,
            self.profiles,
            self.changes,
            self.duty_times,
            look_s=settings.sweep_s,
            now=self.now,
        )
        self.runner = Runner(
            self.link,
            [
                Sweep("deadlines", settings.sweep_s, deadlines.run),
                self.automation.sweep,
                Sweep("repairs", settings.sweep_s, repairs.run),
                Sweep("queue_places", settings.queue_places_s, places.run),
                Sweep("dead_nodes", settings.sweep_s, dead.run),
                Sweep("liveness", settings.sweep_s, liveness.run, everywhere=True),
                Sweep("strays", STRAYS_S, Strays(self.shops, self.live, self.conversations).run),
                Sweep("screens", settings.sweep_s, self.screens_held.run, everywhere=True),
                Sweep("loans", settings.sweep_s, Loans(self.break_glass).run),
                Sweep(
                    "invitations",
                    settings.sweep_s,
                    OverdueInvitations(self.invitation_store, self.participants).run,
                ),
                Sweep("unused_files", UNUSED_FILES_S, UnusedFiles(self.files.transfer).run),
                *self.work.sweeps,
                *self.supervision.sweeps,
                Sweep("statistics", STATISTICS_S, SummingUp(self.statistics).run),
                Sweep("housekeeping", HOUSEKEEPING_S, Housekeeping(self.refresh_tokens).run),
            ],
        )

    # --- life --------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Everything is ready to serve when this returns. Raises LinkError when Redis is not there."""
        await self.db.open()
        await self.link.open()
        await self.node.start()
        await self.bus.start()
        self.feed.start()
        self.gateway.start()
        self.runner.start()
        self.duty.start()
        log.info("node_started", node=self.node.name)

    async def drain(self) -> None:
        """Send everybody elsewhere; new connections are refused from here on (SIGTERM)."""
        self._leaving = True
        await self.gateway.drain()

    async def stop(self) -> None:
        """Stop all parts, in reverse."""
        await self.duty.aclose()
        await self.runner.aclose()
        await self.gateway.stop(FINISH_S)
        await self.background.finish(FINISH_S)
        await self.supervision.walls.aclose()
        await self.feed.aclose()
        await self.bus.stop()
        await self.node.stop()
        self.passwords.close()
        self.files.thumbnails.close()
        await self.writer.aclose()
        await self.link.close()
        await self.redis.aclose()
        await self.db.aclose()
        log.info("node_stopped", node=self.node.name)

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

    # --- what parts tell the whole -----------------------------------------------------------------------------------
    async def _fenced(self, _old: str) -> None:
        """The lease is lost: nothing that this node did not write must be believed here any more (fault 2, 6)."""
        self.gateway.stop_accepting()
        self.gateway.close_all(CloseCode.LEASE_LOST, "this node lost its lease")

    async def _registered(self, name: str) -> None:
        self.writer.rename(name)
        if not self._leaving:
            self.gateway.start()

    async def _resync(self, why: str) -> None:
        """Pushes may have been missed: everybody here resumes, and gets from PostgreSQL what was missed
        (fault 7, 19)."""
        closed = self.gateway.close_all(CloseCode.LEASE_LOST, "resync")
        log.warning("resync", why=why, sockets=closed)

    async def _revoke(self, shop: ShopId, person: PersonId) -> None:
        """Revocation reaches open sockets on every node within a second (fault 23)."""
        self.bus.publish(shop, [Control((person,), CloseCode.AUTH_FAILED, "sign-in revoked")])

    async def _signed_out(self, shop: ShopId, account: AccountId) -> None:
        """Signing out makes an agent offline (KS-18), and ends watching."""
        await self.supervision.watching.end_all(shop, account)
        if await self.live.ask(shop, lambda engine: engine.agent(account)) is not None:
            await self.agents.change_status(shop, account, AgentStatus.OFFLINE)
