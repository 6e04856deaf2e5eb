"""Runs one node until it is told to stop: HTTP and WebSockets on one port, then an orderly drain."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import structlog
import uvicorn

from server import failpoints
from server.app import App
from server.gateway.direct import direct_ws
from server.gateway.guard import guarded_http
from server.settings import Settings

log = structlog.get_logger("serve")

Listening = Callable[[str, int], None]
"""Called once with host and port when the node answers."""


async def serve(settings: Settings, *, listening: Listening | None = None) -> None:
    """Serve until SIGTERM or SIGINT, drain, and return. A second signal does not wait any longer.

    Raises OSError when the port is taken, and LinkError when Redis is not there.
    """
    configure_logs(settings)
    if settings.failpoints:
        log.warning("this build goes wrong on purpose", failpoints=settings.failpoints)
        failpoints.arm(settings.failpoints)
    app = App(settings)
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        app.web,
        http=guarded_http(app.limits),
        ws=direct_ws(app.limits),
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_config=None,
        ws_max_size=settings.frame_bytes,
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = Server(config)
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stopper(stop, hurry))
    try:
        await app.start()
    except BaseException:
        listener.close()
        raise
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        if listening is not None:
            listening(host, port)
        log.info("listening", host=host, port=port, node=app.node.name)
        settle_memory()
        await asyncio.wait(
            (asyncio.create_task(stop.wait(), name="stop"), serving), return_when=asyncio.FIRST_COMPLETED
        )
        await _drain(app, hurry)
    finally:
        server.should_exit = True
        await serving
        await app.stop()


class Server(uvicorn.Server):
    """uvicorn's server without its own signal handling: the drain comes first."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are ours."""
        yield


def settle_memory() -> None:
    """What was made until now stays: keep the garbage collector from walking it again and again under load.

    Measured on a saturated node: with the default thresholds, collecting took a seventh of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


async def _drain(app: App, hurry: asyncio.Event) -> None:
    """Send everybody elsewhere; a second signal ends that at once, and what is left is cut off."""
    hurried = asyncio.create_task(hurry.wait(), name="hurry")
    draining = asyncio.create_task(app.drain(), name="drain")
    await asyncio.wait((hurried, draining), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not draining.done():
        draining.cancel()
        return
    draining.result()


def _stopper(stop: asyncio.Event, hurry: asyncio.Event) -> Callable[[], None]:
    def told() -> None:
        if stop.is_set():
            hurry.set()
        stop.set()

    return told


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(4096)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def configure_logs(settings: Settings) -> None:
    """Structured lines on standard error: one per connection and per decision; never message text, never tokens."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # never the values of variables: they are people's words
        )
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # our own lines say who came and went
    asyncio.get_running_loop().set_debug(False)
