"""Everything that can be set from outside, in one validated object. The only reader of the environment.

Every setting is an environment variable `POINTSMAN_<NAME>`; a secret may instead come from the file named by
`POINTSMAN_<NAME>_FILE`. All faults are reported together (`SettingsError`). What a shop may choose for
itself is not here but in `router.policy`.
"""

import os
import socket
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from server import failpoints

PREFIX = "POINTSMAN_"
SECRETS = ("secret", "database_url", "redis_url")
"""Settings that may come from a file, and have no default that would do."""
FILE_SECRETS = (*SECRETS, "files_key", "files_secret", "ice_servers")
"""Settings that may come from a file."""
DEMO_SECRET = "pointsman-demo-secret-not-for-production"
"""Accepted in demo mode only."""
SECRET_MIN_LENGTH = 32
REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "redis-cluster://", "rediss-cluster://")

MIB = 1024 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
FILE_KINDS = frozenset({"image", "document", "text", "archive", "video", "audio"})
"""As in `server.services.file_types`, which depends on no settings."""


def _data_folder() -> Path:
    """The user's folder for data of programs (XDG base directories)."""
    given = os.environ.get("XDG_DATA_HOME", "")
    base = Path(given) if given.startswith("/") else Path(os.path.expanduser("~")) / ".local" / "share"
    return base / "pointsman"


class _IceServer(BaseModel):
    """As RTCPeerConnection takes it; more members are passed on."""

    model_config = ConfigDict(extra="allow")
    urls: str | list[str]


_ICE_SERVERS = TypeAdapter(list[_IceServer])


class SettingsError(Exception):
    """The settings cannot be used. `faults`: every fault, as `{field, problem}`."""

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{fault['field']}: {fault['problem']}" for fault in faults))
        self.faults = faults


class Settings(BaseSettings):
    """One process' settings. Units are in the names."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    demo: bool = Field(
        default=False,
        description="Demo mode: accepts the built-in secret and loopback origins. Never in production.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL 15 or later, `postgresql://user:password@host/name`. Required.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="Redis 7 or Valkey 8 and later: `redis://host:6379/0`, `rediss://`, `unix://`; a cluster: "
        "`redis-cluster://host:port,host:port`, `rediss-cluster://`. Required.",
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs access tokens and customer sessions; the same on all nodes; at least 32 characters.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; `0.0.0.0` in a container.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    node: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}"[:48],
        pattern=r"^[A-Za-z0-9_.-]{1,48}$",
        description="This node's name; unique among running nodes.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or for human eyes."
    )
    embedded: Literal["auto", "installed", "wheels"] = Field(
        default="auto",
        description="Where `pointsman demo` and tests take private servers from when no URL is given.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks of the proxies in front, with commas between: of X-Forwarded-For the last "
        "address that is none of them is the client's.",
    )

    failpoints: str = Field(
        default="",
        description="Demo mode only, for tests of faults: what shall go wrong, and where (`server/failpoints.py`).",
    )

    database_pool: int = Field(
        default=10, ge=2, le=200, description="Most PostgreSQL connections of this node."
    )
    database_deadline_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="After this long a request that waits for PostgreSQL is answered 'unavailable'.",
    )
    redis_timeout_s: float = Field(
        default=1.0,
        gt=0,
        le=30,
        description="After this long a call to Redis fails; its outcome is then unknown.",
    )
    request_deadline_s: float = Field(
        default=8.0, gt=0, le=60, description="Longest time a request may take in all."
    )
    append_backlog: int = Field(
        default=10_000,
        ge=100,
        description="Messages waiting for PostgreSQL beyond which new ones are refused at once.",
    )

    frame_bytes: int = Field(
        default=64 * 1024, ge=20 * 1024, le=1024 * 1024, description="Largest frame from a client."
    )
    connections_per_person: int = Field(
        default=20, ge=1, description="More tabs and devices than anybody has."
    )
    connections: int = Field(
        default=20_000, ge=1, description="Sockets of this node; more are refused with 503."
    )
    customer_messages_per_s: float = Field(default=5, gt=0, description="Faster than anybody types.")
    customer_burst: int = Field(default=10, ge=1, description="Messages a customer may send at once.")
    agent_messages_per_s: float = Field(
        default=20, gt=0, description="Agents send quick replies to many customers."
    )
    agent_burst: int = Field(default=40, ge=1, description="Messages an agent may send at once.")
    heartbeat_s: float = Field(
        default=25, gt=0, description="Silence after which a heartbeat is sent; proxies drop at 60."
    )
    silence_s: float = Field(default=40, ge=2, description="A socket that says nothing is given up by then.")
    hello_s: float = Field(
        default=5,
        ge=1.5,
        description="Who has not finished the handshake, or not said hello, is gone by then (told so 0.75 s earlier).",
    )
    drain_wave_percent: float = Field(
        default=5, gt=0, le=100, description="Share of sockets sent away per second when draining."
    )
    drain_s: float = Field(
        default=25, gt=0, le=300, description="Longest time for draining; then sockets are cut."
    )

    lease_s: float = Field(default=7, ge=1, le=60, description="A node not heard from for this long is dead.")
    lease_renew_s: float = Field(
        default=1,
        gt=0,
        le=20,
        description="How often a node says that it lives. What it wrote is told again when it is half as late.",
    )
    sweep_s: float = Field(
        default=1, gt=0, le=60, description="How often deadlines and repairs are looked at."
    )
    timers_s: float = Field(
        default=0.5, gt=0, le=1, description="How often each node looks for durable deadlines that are due."
    )
    unconfirmed_s: float = Field(
        default=1.5, gt=0, le=60, description="Age at which another node finishes a decision."
    )
    queue_places_s: float = Field(
        default=2, gt=0, le=60, description="How often waiting customers are told their new place."
    )
    queue_places_told: int = Field(
        default=500, ge=0, description="How many of each pool's first are told; the rest when they get there."
    )
    wall_s: float = Field(
        default=1, gt=0, le=1, description="How often supervisors' walls are looked at, while there are any."
    )
    queue_s: float = Field(
        default=1,
        gt=0,
        le=5,
        description="How often the queue is looked at for the agents who are connected.",
    )
    lists_s: float = Field(
        default=1,
        gt=0,
        le=2,
        description="How often the conversations that desks show are looked at, while any do.",
    )
    wall_figures_s: float = Field(
        default=2,
        ge=0,
        le=60,
        description="How old today's figures on a wall may be before they are counted again, while somebody looks.",
    )
    wall_most: int = Field(
        default=20,
        ge=1,
        le=100,
        description="Longest waiting, longest unanswered, collaborations and alarms on a wall; of each so many.",
    )
    watch_most: int = Field(
        default=20,
        ge=1,
        le=200,
        description="Conversations that one account watches at once: more than one can read.",
    )
    watch_away_s: float = Field(
        default=60,
        gt=0,
        le=3600,
        description="Watching ends when the watcher has had no connection so long: a reload, a tunnel, no more.",
    )
    ice_servers: SecretStr = Field(
        default=SecretStr(""),
        description="For screen sharing, a JSON list as RTCPeerConnection takes it: "
        '`[{"urls": "turn:turn.example.com", "username": "u", "credential": "c"}]`. '
        "Told to both sides of a share; without any, screens are shared within one network only.",
    )
    screen_signal_bytes: int = Field(
        default=16 * 1024, ge=1024, le=48 * 1024, description="Largest step of WebRTC's negotiation."
    )
    screen_answer_s: float = Field(
        default=60, gt=0, le=600, description="How long somebody is asked to show, or to look at, a screen."
    )
    screen_away_s: float = Field(
        default=5, gt=0, le=60, description="A screen share ends when a side is disconnected for so long."
    )
    stream_entries: int = Field(
        default=50_000, ge=100, description="Length of a node's stream; a longer outage is resynced."
    )
    redeliver_s: int = Field(
        default=30, ge=5, description="What a dead node wrote this lately is delivered again."
    )

    files: str = Field(
        default_factory=lambda: str(_data_folder() / "files"),
        description="Where files are kept: a folder that all nodes share, or `s3://bucket/prefix`.",
    )
    files_endpoint: str = Field(
        default="",
        description="Address of an S3-compatible store that is not Amazon's; `http://` on loopback only.",
    )
    files_region: str = Field(default="us-east-1", description="Region of the bucket.")
    files_key: SecretStr = Field(
        default=SecretStr(""), description="Access key of the bucket; empty: the machine's own rights."
    )
    files_secret: SecretStr = Field(default=SecretStr(""), description="Secret of the access key.")
    file_kinds: str = Field(
        default="image,document,text,archive,video,audio",
        description="Kinds of files that any shop may allow; each shop chooses among them.",
    )
    file_customer_bytes: int = Field(
        default=20 * MIB, ge=1024, le=2**40, description="Largest file of a customer."
    )
    file_agent_bytes: int = Field(
        default=100 * MIB, ge=1024, le=2**40, description="Largest file of an agent or bot."
    )
    file_image_bytes: int = Field(
        default=20 * MIB, ge=1024, le=100 * MIB, description="Largest image, whoever sends it: it is decoded."
    )
    file_image_pixels: int = Field(
        default=50_000_000, ge=10_000, le=80_000_000, description="Most pixels of an image."
    )
    file_images_parallel: int = Field(
        default=2,
        ge=1,
        le=32,
        description="Images decoded at once, each in a thread with its pixels in memory.",
    )
    file_customer_daily: int = Field(
        default=50, ge=0, description="Files that a customer may send into one conversation in 24 hours."
    )
    file_customer_daily_bytes: int = Field(
        default=200 * MIB, ge=0, le=2**50, description="The same, in bytes."
    )
    file_agent_daily: int = Field(
        default=200, ge=0, description="Files that colleagues may put into one conversation in 24 hours."
    )
    file_agent_daily_bytes: int = Field(default=1024 * MIB, ge=0, le=2**50, description="The same, in bytes.")
    file_uploads_parallel: int = Field(
        default=64, ge=1, le=10_000, description="Uploads under way on this node; each holds up to 10 MiB."
    )
    file_upload_s: int = Field(
        default=900,
        ge=10,
        le=86_400,
        description="How long an upload may be put off, and how long it may take.",
    )
    file_link_s: int = Field(
        default=900, ge=10, le=86_400, description="Life of a link to a file; a video plays no longer."
    )
    file_unused_s: int = Field(
        default=86_400, ge=60, description="Files that no message names are deleted after this long."
    )

    quick_replies_shop: int = Field(
        default=1000, ge=0, le=10_000, description="Most quick replies of a whole shop."
    )
    quick_replies_group: int = Field(
        default=500, ge=0, le=10_000, description="Most quick replies of each group."
    )
    quick_replies_own: int = Field(
        default=200, ge=0, le=10_000, description="Most quick replies that an account keeps for itself."
    )

    login_per_minute: int = Field(
        default=10, ge=1, description="Failed sign-ins per account and address in a minute."
    )
    access_token_s: int = Field(default=900, ge=60, le=86_400, description="Life of an access token.")
    refresh_token_s: int = Field(default=30 * 86_400, ge=3600, description="Life of a refresh token.")
    ticket_s: int = Field(default=30, ge=5, le=300, description="Life of a ticket for the socket.")
    session_s: int = Field(
        default=3600, ge=120, description="Life of a socket session before it must be refreshed."
    )
    break_glass_minutes: int = Field(
        default=60,
        ge=1,
        le=1440,
        description="Longest time for which an owner lends reach over everything; who needs it longer needs a role.",
    )
    customer_token_s: int = Field(
        default=180 * 86_400, ge=3600, description="How long an anonymous visitor is recognised."
    )

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must be a URL like postgresql://user:password@host:5432/name")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(REDIS_SCHEMES):
            raise ValueError("must be a URL like redis://host:6379/0")
        return value

    @field_validator("secret")
    @classmethod
    def _secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not info.data.get("demo") and value.get_secret_value() == DEMO_SECRET:
            raise ValueError("the demo secret is refused outside demo mode; set a random one")
        if len(value.get_secret_value()) < SECRET_MIN_LENGTH:
            raise ValueError(f"must be at least {SECRET_MIN_LENGTH} random characters, the same on all nodes")
        return value

    @field_validator("failpoints")
    @classmethod
    def _failpoints(cls, value: str, info: ValidationInfo) -> str:
        if failpoints.parse(value) and not info.data.get("demo"):
            raise ValueError("faults on purpose are refused outside demo mode; leave it empty")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _trusted_proxies(cls, value: str) -> str:
        try:
            return ",".join(str(ip_network(each.strip())) for each in value.split(",") if each.strip())
        except ValueError as error:
            raise ValueError(f"must be addresses or networks like 10.0.0.5,10.1.0.0/16: {error}") from error

    @field_validator("files")
    @classmethod
    def _files(cls, value: str) -> str:
        at = urlsplit(value)
        if not value or (at.scheme == "s3" and not at.netloc):
            raise ValueError("must be a folder, or s3://bucket or s3://bucket/prefix")
        return value

    @field_validator("files_endpoint")
    @classmethod
    def _files_endpoint(cls, value: str) -> str:
        at = urlsplit(value)
        if value and (at.scheme not in ("http", "https") or not at.hostname):
            raise ValueError("must be a URL like https://s3.example")
        if at.scheme == "http" and at.hostname not in LOOPBACK:
            raise ValueError("must be https:// unless it is on loopback: keys and files go over it")
        return value.rstrip("/")

    @field_validator("file_kinds")
    @classmethod
    def _file_kinds(cls, value: str) -> str:
        unknown = set(value.replace(" ", "").split(",")) - FILE_KINDS
        if unknown:
            raise ValueError(f"must be some of {', '.join(sorted(FILE_KINDS))}, with commas between")
        return value

    @field_validator("ice_servers")
    @classmethod
    def _ice_servers(cls, value: SecretStr) -> SecretStr:
        ice_servers_of(value)
        return value

    @field_validator("silence_s")
    @classmethod
    def _silence(cls, value: float, info: ValidationInfo) -> float:
        if value < info.data.get("heartbeat_s", 0) + 1:
            raise ValueError("must be a second longer than heartbeat_s, or living sockets are cut")
        return value

    @field_validator("lease_renew_s")
    @classmethod
    def _lease_renew(cls, value: float, info: ValidationInfo) -> float:
        if value * 2 > info.data.get("lease_s", value * 2):
            raise ValueError("must be at most half of lease_s, or one late renewal kills the node")
        return value


def ice_servers_of(value: SecretStr) -> tuple[dict[str, Any], ...]:
    """The ICE servers in the setting; ValueError when they are none."""
    try:
        servers = _ICE_SERVERS.validate_json(value.get_secret_value() or "[]")
    except ValidationError:
        raise ValueError('must be a JSON list of objects, each with its "urls"') from None
    return tuple(server.model_dump() for server in servers)


def load(**overrides: Any) -> Settings:
    """Settings from the environment, with these overrides. Raises `SettingsError` with every fault."""
    values: dict[str, Any] = {**_from_files(), **overrides}
    for name in SECRETS:  # defaults are not validated, and these have none that would do
        values.setdefault(name, os.environ.get(f"{PREFIX}{name.upper()}", ""))
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_faults(error)) from None


def _from_files() -> dict[str, str]:
    values: dict[str, str] = {}
    for name in FILE_SECRETS:
        variable = f"{PREFIX}{name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            continue
        try:
            values[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                [{"field": variable, "problem": f"cannot be read: {error.strerror}"}]
            ) from None
    return values


def _faults(error: ValidationError) -> list[dict[str, str]]:
    faults: list[dict[str, str]] = []
    for fault in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in fault["loc"])
        faults.append(
            {"field": f"{PREFIX}{field.upper()}", "problem": fault["msg"].removeprefix("Value error, ")}
        )
    return faults
