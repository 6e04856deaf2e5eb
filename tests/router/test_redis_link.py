"""The multiplexed link against real servers that are frozen, killed, emptied and cut off."""

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hiredis import ReplyError

from router.redis_address import Address
from router.redis_link import LinkError, LinkFault, RedisLink, Reply
from server.embedded.binaries import find_redis
from server.embedded.redis_process import RedisProcess
from tests.live_servers import preferred

ADD = {"add": "return redis.call('INCRBY', KEYS[1], ARGV[1])", "echo": "return ARGV[1]"}
Link = Callable[..., Awaitable[RedisLink]]


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    """Opens links and closes them after the test."""
    opened: list[RedisLink] = []

    async def open_link(url: str, **options: object) -> RedisLink:
        made = RedisLink(url, scripts=ADD, **options)  # pyright: ignore[reportArgumentType]
        opened.append(made)
        await made.open()
        return made

    yield open_link
    for one in opened:
        await one.close()


async def settles(ask: Callable[[], Awaitable[Reply]], *, within_s: float = 5.0) -> Reply:
    """The first reply of a call that may fail for a while."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return await ask()
        except LinkError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.01)


async def fault_of(call: Awaitable[Reply]) -> tuple[LinkFault, float]:
    """Which fault a call ended with, and after how long."""
    start = time.monotonic()
    with pytest.raises(LinkError) as caught:
        await call
    return caught.value.fault, time.monotonic() - start


# --- calls -------------------------------------------------------------------------------------------------------
async def test_concurrent_calls_get_their_own_replies(link: Link, redis_url: str) -> None:
    it = await link(redis_url)
    sizes = [1, 3, 70_000, 17, 300_000, 5] * 20
    replies = await asyncio.gather(
        *(it.script("echo", (), (f"{n}:" + "x" * size,)) for n, size in enumerate(sizes))
    )
    assert [(reply.split(b":")[0], len(reply.split(b":")[1])) for reply in replies] == [
        (str(n).encode(), size) for n, size in enumerate(sizes)
    ]
    assert it.under_way == 0


async def test_an_error_reply_fails_its_own_call_only(link: Link, redis_url: str) -> None:
    it = await link(redis_url)
    before, wrong, after = await asyncio.gather(
        it.call("SET", "k", 1), it.call("LPUSH", "k", 1), it.call("GET", "k"), return_exceptions=True
    )
    assert (before, after) == (b"OK", b"1")
    assert isinstance(wrong, ReplyError)
    assert "WRONGTYPE" in str(wrong)


async def test_a_caller_that_is_cancelled_does_not_shift_the_replies_of_others(
    link: Link, redis_url: str
) -> None:
    it = await link(redis_url)
    tasks = [asyncio.ensure_future(it.script("echo", (), (n,))) for n in range(200)]
    await asyncio.sleep(0)  # all are written
    for task in tasks[::3]:
        task.cancel()
    replies = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(reply, asyncio.CancelledError) for reply in replies[::3])
    assert [reply for reply in replies if isinstance(reply, bytes)] == [
        str(n).encode() for n in range(200) if n % 3
    ]


async def test_more_calls_than_allowed_are_refused_without_being_sent(link: Link, redis_url: str) -> None:
    it = await link(redis_url, most_under_way=10)
    replies = await asyncio.gather(
        *(it.script("add", ("n",), (1,)) for _ in range(25)), return_exceptions=True
    )
    refused = [reply for reply in replies if isinstance(reply, LinkError)]
    assert len(refused) == 15
    assert {error.fault for error in refused} == {LinkFault.UNAVAILABLE}
    assert await it.call("GET", "n") == b"10"
    assert it.counts["unavailable"] == 15


# --- scripts -----------------------------------------------------------------------------------------------------
async def test_flushed_scripts_are_loaded_again_and_each_call_runs_once(link: Link, redis_url: str) -> None:
    it = await link(redis_url)
    await it.script("add", ("n",), (1,))
    await it.call("SCRIPT", "FLUSH")
    replies = await asyncio.gather(*(it.script("add", ("n",), (1,)) for _ in range(50)))
    assert sorted(replies) == list(range(2, 52))
    assert it.reloads > 0
    reloads = it.reloads
    await it.script("add", ("n",), (1,))
    assert it.reloads == reloads


async def test_a_script_that_cannot_be_loaded_again_says_so(redis_url: str) -> None:
    broken = RedisLink(redis_url, scripts={"broken": "this is no Lua"})
    with pytest.raises(ReplyError, match="compiling"):
        await broken.open()
    await broken.close()


# --- a server in trouble -------------------------------------------------------------------------------------------
async def test_a_frozen_server_costs_each_caller_at_most_the_time_out(
    link: Link, own_redis: RedisProcess
) -> None:
    it = await link(own_redis.url)
    await it.call("SET", "n", 0)
    own_redis.freeze()
    try:
        sent = [asyncio.ensure_future(it.script("add", ("n",), (1,))) for _ in range(100)]
        faults = await asyncio.gather(*(fault_of(call) for call in sent))
        assert {fault for fault, _ in faults} == {LinkFault.TIMEOUT}
        assert all(0.9 < took < 5 for _, took in faults)
        fault, took = await fault_of(it.script("add", ("n",), (1000,)))
        assert (fault, took < 0.9) == (LinkFault.UNAVAILABLE, True), "a silent server is not asked again"
        assert not it.connected
        await asyncio.sleep(1.8)  # frozen for 3 s in all
    finally:
        own_redis.thaw()
    # The 100 late replies belong to nobody: the next call must get its own.
    assert await settles(lambda: it.script("echo", (), ("mine",))) == b"mine"
    assert await it.call("GET", "n") == b"100", "sent once, run once, never repeated"
    assert it.counts["connects"] == 1
    assert it.timeouts == 100


async def test_calls_after_a_thaw_time_out_again_when_it_freezes_again(
    link: Link, own_redis: RedisProcess
) -> None:
    it = await link(own_redis.url, time_out_s=0.3)
    for _ in range(2):
        own_redis.freeze()
        fault, took = await fault_of(it.call("PING"))
        own_redis.thaw()
        assert (fault, took < 5) == (LinkFault.TIMEOUT, True)
        assert await settles(lambda: it.call("PING")) == b"PONG"


async def test_a_server_silent_for_too_long_is_given_up(link: Link, own_redis: RedisProcess) -> None:
    it = await link(own_redis.url, time_out_s=0.2, stall_s=0.5)
    own_redis.freeze()
    try:
        assert (await fault_of(it.call("PING")))[0] is LinkFault.TIMEOUT
        while it.counts["lost"] == 0:
            await asyncio.sleep(0.02)
        assert (await fault_of(it.call("PING")))[0] is LinkFault.UNAVAILABLE
    finally:
        own_redis.thaw()
    assert await settles(lambda: it.call("PING")) == b"PONG"
    assert it.counts["connects"] == 2


async def test_a_killed_server_fails_calls_at_once_and_is_found_again(
    link: Link, own_redis: RedisProcess
) -> None:
    it = await link(own_redis.url)
    own_redis.freeze()  # so that the calls are under way when it dies
    waiting = [asyncio.ensure_future(it.call("INCR", "n")) for _ in range(10)]
    await asyncio.sleep(0.05)
    await own_redis.kill()
    faults = await asyncio.gather(*(fault_of(call) for call in waiting))
    assert {fault for fault, _ in faults} == {LinkFault.LOST}, "not after the time-out"
    assert (await fault_of(it.call("PING")))[0] is LinkFault.UNAVAILABLE
    await own_redis.restart()
    assert await settles(lambda: it.script("add", ("m",), (1,))) == 1, "its scripts are loaded on connect"
    assert it.reloads == 0


async def test_a_killed_idle_connection_is_not_seen_by_the_next_caller(link: Link, redis_url: str) -> None:
    it, other = await link(redis_url), await link(redis_url)
    victim = await it.call("CLIENT", "ID")
    assert await other.call("CLIENT", "KILL", "ID", victim) == 1
    while it.counts["lost"] == 0:
        await asyncio.sleep(0)
    assert await it.script("add", ("n",), (1,)) == 1
    assert it.counts["connects"] == 2


async def test_no_call_is_forgotten_while_the_connection_breaks_again_and_again(
    link: Link, redis_url: str
) -> None:
    it, other = await link(redis_url), await link(redis_url)
    ended = 0
    callers_stop = asyncio.Event()

    async def caller() -> None:
        nonlocal ended
        while not callers_stop.is_set():
            with contextlib.suppress(LinkError):
                await asyncio.wait_for(it.call("INCR", "n"), timeout=3)
            ended += 1
            await asyncio.sleep(0)

    callers = [asyncio.ensure_future(caller()) for _ in range(20)]
    for number in range(1, 31):
        victim = await settles(lambda: it.call("CLIENT", "ID"))
        await other.call("CLIENT", "KILL", "ID", victim)
        while it.counts["lost"] < number:
            await asyncio.sleep(0)
    callers_stop.set()
    await asyncio.gather(*callers)  # a forgotten call would be a TimeoutError here
    assert await settles(lambda: it.call("PING")) == b"PONG"
    assert it.counts["connects"] == 31
    assert ended >= int(await it.call("GET", "n"))
    assert it.under_way == 0


async def test_a_refusal_for_now_is_unavailable_and_did_not_run(link: Link, own_redis: RedisProcess) -> None:
    it = await link(own_redis.url)
    await it.call("CONFIG", "SET", "maxmemory", 1)
    fault, _ = await fault_of(it.call("SET", "k", "v"))
    assert fault is LinkFault.UNAVAILABLE
    await it.call("CONFIG", "SET", "maxmemory", 0)
    assert await it.call("GET", "k") is None


async def test_bytes_that_are_not_redis_end_the_connection() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    stranger = RedisLink(f"redis://127.0.0.1:{port}")
    fault, _ = await fault_of(stranger.open())
    assert fault is LinkFault.LOST
    await stranger.close()
    server.close()
    await server.wait_closed()


# --- beginning and end ---------------------------------------------------------------------------------------------
async def test_closing_waits_for_the_calls_under_way(redis_url: str) -> None:
    it = RedisLink(redis_url, scripts=ADD)
    await it.open()
    last = asyncio.ensure_future(it.script("echo", (), ("done",)))
    await asyncio.sleep(0)
    await it.close()
    assert await last == b"done"
    assert (await fault_of(it.call("PING")))[0] is LinkFault.UNAVAILABLE


async def test_nobody_there_is_told_on_opening() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = RedisLink(f"redis://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await nobody.open()
        await nobody.close()


async def test_opening_outlasts_a_server_that_is_busy_for_a_moment(own_redis: RedisProcess) -> None:
    own_redis.freeze()
    asyncio.get_running_loop().call_later(1.3, own_redis.thaw)  # longer than a call may take
    it = RedisLink(own_redis.url)
    await it.open()
    assert await it.call("PING") == b"PONG"
    await it.close()


async def test_a_server_that_stays_silent_is_told_on_opening(own_redis: RedisProcess) -> None:
    own_redis.freeze()
    try:
        it = RedisLink(own_redis.url, time_out_s=0.1)
        fault, _ = await fault_of(it.open(patience_s=0.3))
        assert fault is LinkFault.TIMEOUT
        await it.close()
    finally:
        own_redis.thaw()


async def test_a_wrong_password_is_told_on_opening(own_redis: RedisProcess) -> None:
    wrong = RedisLink(own_redis.url.replace("redis://:", "redis://:x"))
    with pytest.raises(ReplyError, match="WRONGPASS"):
        await wrong.open()
    await wrong.close()


@asynccontextmanager
async def own_server(folder: Path, *options: str) -> AsyncGenerator[bool]:
    """A Redis on the Unix socket `redis.sock` in `folder`; False when this one does not know the options."""
    process = await asyncio.create_subprocess_exec(
        str(find_redis(preferred()).path),
        *("--port", "0", "--unixsocket", "redis.sock", "--requirepass", "secret", "--save", "", *options),
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    while not (folder / "redis.sock").exists() and process.returncode is None:
        await asyncio.sleep(0.02)
    yield process.returncode is None
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def test_over_a_unix_socket_in_the_database_asked_for(link: Link, tmp_path: Path) -> None:
    async with own_server(tmp_path) as started:
        assert started
        it = await link(f"unix://:secret@{tmp_path}/redis.sock?db=3")
        assert "db=3" in (await it.call("CLIENT", "INFO")).decode()
        await it.close()


async def test_over_tls_with_an_authority_of_our_own(link: Link, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    names = (
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    )
    subprocess.run(["openssl", "req", *subject, *names], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    files = ("--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no")
    async with own_server(tmp_path, "--tls-port", str(port), *files) as started:
        if not started:
            pytest.skip("this server is built without TLS")
        it = await link(f"rediss://:secret@localhost:{port}/2?ssl_ca_certs={certificate}")
        assert await it.script("echo", (), ("x" * 300_000,)) == b"x" * 300_000
        stranger = RedisLink(f"rediss://:secret@localhost:{port}/2")
        with pytest.raises(OSError, match="certificate"):
            await stranger.open()
        await stranger.close()
        await it.close()


@pytest.mark.parametrize("url", ["http://x", "unix://", "redis://h/one"])
def test_what_is_no_redis_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Address.parse(url)
