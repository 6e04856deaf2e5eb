"""The composition root: makes every part of one node and joins them. Starts top to bottom, stops in reverse.

The only file that sees the whole house. It decides nothing; what can be decided is in `settings` and in the parts.
"""

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
from protocol.ids import AccountId, PersonId, ShopId
from protocol.schema import asyncapi, openrpc
from protocol.states import AgentStatus
from protocol.version import VERSION
from router.redis_link import LinkError, RedisLink
from router.scripts import load as routing_scripts
from server.background import Background
from server.bus import Bus
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
from server.services.conversations import ConversationRequests
from server.services.customers import CustomerFacts
from server.services.delivery import Delivery
from server.services.door import Doors
from server.services.dry_run import DryRun
from server.services.groups import Groups
from server.services.identity import IdentityTokens
from server.services.known_origins import KnownOrigins
from server.services.live import Live
from server.services.live_changes import LiveChanges
from server.services.messages import Messages
from server.services.names import Names
from server.services.passwords import Passwords
from server.services.policies import Policies
from server.services.profiles import Profiles
from server.services.reads import ConversationReads, LiveReads
from server.services.returning import Returning
from server.services.routing import Routing
from server.services.schedules import Schedules
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.sessions import Sessions
from server.services.shop_settings import ShopSettings
from server.services.shops import Shops
from server.services.sign_in import SignIn
from server.services.tickets import Tickets
from server.services.tokens import Tokens
from server.services.widget import WidgetSessions
from server.settings import Settings
from server.store.accounts import Accounts as AccountStore
from server.store.api_keys import ApiKeys as ApiKeyStore
from server.store.audit import AuditStore
from server.store.conversations import Conversations
from server.store.customers import Customers
from server.store.database import Database
from server.store.decisions import Decisions
from server.store.finding import Finding
from server.store.groups import Groups as GroupStore
from server.store.history import History
from server.store.lists import Lists
from server.store.log import Log
from server.store.orders import Orders
from server.store.policies import Policies as PolicyStore
from server.store.roles import Roles
from server.store.shops import Shops as ShopStore
from server.store.tokens import RefreshTokens
from server.sweeps.deadlines import Deadlines
from server.sweeps.housekeeping import Housekeeping
from server.sweeps.presence import DeadNodes, Duty, Liveness
from server.sweeps.queue_places import QueuePlaces
from server.sweeps.repairs import Repairs
from server.sweeps.runner import Runner, Sweep
from server.sweeps.strays import Strays

log = structlog.get_logger("app")

DUTY_S = 15.0
"""Schedules take effect at the minute; looking four times in it costs little and is at most a quarter late."""
HOUSEKEEPING_S = 3600.0
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
    """One node of the server. `web` is the ASGI application; `start` before serving it, `stop` after."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._leaving = False
        self.limits = gateway_limits(settings)
        self._clients(settings)
        self._stores(settings)
        self._services(settings)
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
        self.customer_store = Customers(db)
        self.order_store = Orders(db)
        self.policy_store = PolicyStore(db)
        self.role_store = Roles(db)
        self.audit = Audit(AuditStore(db))
        self.conversations = Conversations(db)
        self.lists = Lists(db)
        self.history = History(db)
        self.writer = Log(
            db, self.node.name, backlog_max=settings.append_backlog, deadline_s=settings.database_deadline_s
        )

    def _services(self, settings: Settings) -> None:
        self.shops = Shops(self.shop_store, self.account_store, self.group_store)
        self.names = Names(self.account_store, self.customer_store)
        self.scope = Scope(self.role_store, self.shops)
        self.doors = Doors(self.scope, self.audit)
        self.profiles = Profiles(self.account_store, self.group_store, self.role_store)
        self.live = Live(self.link, lambda: self.node.name, self.shops, self.profiles, self.conversations)
        self.feed = AgentFeed(self.bus, self.live, self.names)
        self.delivery = Delivery(self.bus, self.live, self.names, self.feed)
        self.routing = Routing(
            self.live, self.shops, self.names, self.customer_store, self.writer, self.delivery, self.registry
        )
        self.seeing = Seeing(
            self.conversations, self.lists, Decisions(self.db), self.live, self.names, self.scope
        )
        self.agents = Agents(
            self.live, self.routing, self.account_store, self.conversations, self.names, self.feed, self.scope
        )
        self.changes = LiveChanges(self.shops, self.live, self.profiles, self.agents, self.routing)
        self.returning = Returning(
            self.live, self.routing, self.conversations, self.writer, self.delivery, self.names
        )
        self.messages = Messages(
            self.writer,
            self.history,
            self.conversations,
            self.shops,
            self.returning,
            self.delivery,
            self.seeing,
            self.bus,
            self.background,
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
            self.scope,
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
            self.conversations,
            self.lists,
            self.history,
            self.limits,
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
            refresh_tokens=self.refresh_tokens,
            passwords=self.passwords,
            revoke=self._revoke,
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
            tries_per_minute=settings.login_per_minute,
            refresh_s=settings.refresh_token_s,
        )

    def _surfaces(self, settings: Settings) -> None:
        self.gateway = Gateway(
            opener=self.sessions,
            handlers=handlers(self.requests, self.messages, self.agents),
            notices=notices(self.messages),
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
        facts = CustomerFacts(customers=self.customer_store, orders=self.order_store)
        self.web: FastAPI = build_api(
            Deps(
                authentication=self.authentication,
                doors=self.doors,
                sign_in=self.sign_in,
                accounts=self.accounts,
                groups=Groups(
                    groups=self.group_store,
                    accounts=self.account_store,
                    policies=self.policy_store,
                    live=self.changes,
                ),
                schedules=Schedules(groups=self.group_store, accounts=self.account_store, live=self.changes),
                api_keys=self.api_keys,
                customers=facts,
                policies=self.policies,
                dry_run=DryRun(self.policies),
                shop_settings=ShopSettings(self.shop_store),
                widget=WidgetSessions(
                    shops=self.shop_store,
                    customers=self.customer_store,
                    facts=facts,
                    tokens=self.tokens,
                    identity_tokens=IdentityTokens(self.redis),
                    authentication=self.authentication,
                    attempts=self.attempts,
                ),
                conversations=ConversationReads(self.seeing, Finding(self.db), self.history),
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
        self.runner = Runner(
            self.link,
            [
                Sweep("deadlines", settings.sweep_s, deadlines.run),
                Sweep("repairs", settings.sweep_s, repairs.run),
                Sweep("queue_places", settings.queue_places_s, places.run),
                Sweep("dead_nodes", settings.sweep_s, dead.run),
                Sweep("liveness", settings.sweep_s, liveness.run, everywhere=True),
                Sweep("duty", DUTY_S, Duty(self.shops, self.changes).run),
                Sweep("strays", DUTY_S, Strays(self.shops, self.live, self.conversations).run),
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
        log.info("node_started", node=self.node.name)

    async def drain(self) -> None:
        """Send everybody elsewhere; new connections are refused from here on (SIGTERM)."""
        self._leaving = True
        await self.gateway.drain()

    async def stop(self) -> None:
        """Stop all parts, in reverse."""
        await self.runner.aclose()
        await self.gateway.stop(FINISH_S)
        await self.background.finish(FINISH_S)
        await self.feed.aclose()
        await self.bus.stop()
        await self.node.stop()
        self.passwords.close()
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
        """Signing out makes an agent offline (KS-18)."""
        if await self.live.ask(shop, lambda engine: engine.agent(account)) is not None:
            await self.agents.change_status(shop, account, AgentStatus.OFFLINE)
