"""Every limit of the gateway, with its reason. `app.py` builds one from the settings; tests shrink the times.

The values are those of the protocol document ("Flow control, heartbeat, drain"); what it leaves open says why here.
"""

from dataclasses import dataclass

from protocol.methods.session import Limits
from protocol.shapes import TEXT_MAX_BYTES
from protocol.states import PersonKind

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `per_s` on average, `burst` at once."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """What one gateway process accepts. Units are in the names."""

    # --- frames in
    frame_bytes: int = 64 * KIB
    """a whole message; more is closed with 1009"""
    fragments: int = 64
    """continuation frames of one message: 64 KiB in packets of 1 KiB still pass, ten thousand empty ones do not"""
    pings: Rate = Rate(per_s=2, burst=20)
    """pings of the client; browsers send none, proxies one in 15 s or more"""

    # --- deadlines of a young connection
    handshake_s: float = 5.0
    """from the TCP connection to the last byte of the request's header, and from there to accept or refusal; a socket
    that takes longer is gone by then (`handshake_until_s`)"""
    hello_s: float = 5.0
    """from accept until a socket without `session.hello` is gone; it is told why (4102) at `hello_until_s`"""
    body_bytes_per_s: int = 1 * KIB
    """slowest HTTP body, measured over `body_window_s`; a byte per second holds no connection"""
    body_window_s: float = 10.0

    # --- sending
    customer_outbox_bytes: int = 256 * KIB
    agent_outbox_bytes: int = 1 * MIB
    supervisor_outbox_bytes: int = 2 * MIB
    reply_slack_bytes: int = 4 * MIB
    """replies are never dropped: a page of 200 long messages may be this big; beyond it the client does not read"""
    lag_s: float = 10.0
    """a lagging session that is not drained by then is aborted (4108)"""
    stall_s: float = 10.0
    """a socket that takes no byte for so long is aborted (4108)"""
    write_high_bytes: int = 64 * KIB
    """bytes in the process's socket buffer above which we keep frames in the outbox, where they can be coalesced"""
    socket_send_bytes: int = 128 * KIB
    """SO_SNDBUF: without it the kernel buffers up to 4 MiB for a client that does not read"""
    tcp_user_timeout_s: float = 20.0
    """TCP_USER_TIMEOUT: unacknowledged bytes end the connection; with `silence_s` it frees half-open sockets"""
    close_s: float = 5.0
    """how long the close handshake may take before the transport is aborted"""
    stranger_close_s: float = 0.5
    """the same for who has not said hello, and for who floods: long enough to hear the code, too short to hold sockets
    (faults 21, 22)"""

    # --- heartbeat
    heartbeat_s: float = 25.0
    heartbeat_jitter: float = 0.2
    """the interval is shortened by up to this share, so that a reconnect storm does not beat in step"""
    silence_s: float = 40.0
    """a socket that says nothing is gone by then (4109, `silent_until_s`)"""
    tick_s: float = 0.25
    """granularity of the timer wheel"""
    heads: int = 1000
    """conversations in one `hb`, and remembered per connection"""

    # --- rates
    customer_rate: Rate = Rate(per_s=5, burst=10)
    account_rate: Rate = Rate(per_s=20, burst=40)
    bot_rate: Rate = Rate(per_s=200, burst=400)
    """one bot speaks to many customers"""
    requests_factor: int = 4
    """every frame counts against a second bucket this many times as large: reading is cheaper than writing"""
    typing_interval_s: float = 2.0
    strikes: Rate = Rate(per_s=1, burst=100)
    """refusals by rate and frames that are no protocol; when this bucket is empty the socket is closed (4103, 4000)"""
    connects_per_address: Rate = Rate(per_s=500, burst=5000)
    """handshakes per client address, before accept (429); generous, since a proxy may hide many"""

    # --- requests
    in_flight: int = 32
    """requests of one connection under way; more wait unread in the kernel"""
    request_deadline_s: float = 10.0
    """every request is answered by then; the store's own deadline (5 s) is shorter"""

    # --- how many
    connections: int = 50_000
    """sockets of this process (503)"""
    pending_hellos: int = 5_000
    """sockets before hello (503): a flood of silent ones cannot grow without end"""
    customer_connections: int = 20
    account_connections: int = 20
    bot_connections: int = 64
    """of one person on this process (4007)"""

    # --- expiry, drain
    expiring_s: float = 60.0
    drain_share_per_s: float = 0.05
    drain_s: float = 25.0
    """all waves (20 s) and the wait for what was closed; then what is left is aborted: exit within 30 s in all"""
    reconnect_min_ms: int = 200
    reconnect_max_ms: int = 5_000
    """`session.going_away` spreads the return over this range"""

    @property
    def handshake_until_s(self) -> float:
        """How long is waited for a header: a grain of time less than it may take, so that the end is within it too."""
        return self.handshake_s - self.tick_s

    @property
    def hello_until_s(self) -> float:
        """The same for the hello, and less what its sender has to hear why."""
        return self.hello_s - self.stranger_close_s - self.tick_s

    @property
    def silent_until_s(self) -> float:
        """The same for any sign of life: the wheel is late by a grain, and the end takes its time."""
        return self.silence_s - 2 * self.tick_s

    def outbox_bytes(self, kind: PersonKind, *, observer: bool) -> int:
        """Size of the send queue of such a person."""
        if kind is PersonKind.CUSTOMER:
            return self.customer_outbox_bytes
        return self.supervisor_outbox_bytes if observer else self.agent_outbox_bytes

    def rate(self, kind: PersonKind) -> Rate:
        """Messages of such a person."""
        if kind is PersonKind.CUSTOMER:
            return self.customer_rate
        return self.bot_rate if kind is PersonKind.BOT else self.account_rate

    def connections_of(self, kind: PersonKind) -> int:
        """Sockets that one such person may hold on this process."""
        if kind is PersonKind.CUSTOMER:
            return self.customer_connections
        return self.bot_connections if kind is PersonKind.BOT else self.account_connections

    def wire(self, kind: PersonKind) -> Limits:
        """The same for the client, in the answer to `session.hello`."""
        rate = self.rate(kind)
        return Limits(
            frame_bytes=self.frame_bytes,
            text_bytes=TEXT_MAX_BYTES,
            messages_per_s=int(rate.per_s),
            message_burst=rate.burst,
            typing_interval_ms=int(self.typing_interval_s * 1000),
        )

    @property
    def heartbeat_ms(self) -> int:
        """For the answer to `session.hello`."""
        return int(self.heartbeat_s * 1000)
