"""The object store over a folder, and over a real S3-compatible server on loopback: the same promises."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.store.objects import PART_BYTES, Bucket, Objects

MIB = 1024 * 1024
PIECE = b"0123456789abcdef" * 4096  # 64 KiB


@dataclass
class S3:
    """An S3-compatible server, and a client that looks at it from outside."""

    url: str
    client: Any

    def bucket(self, name: str) -> Bucket:
        self.client.create_bucket(Bucket=name)
        return Bucket(name, prefix="files", endpoint=self.url, key="somebody", secret="something")

    def keys(self, name: str) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=name).get("Contents", [])]

    def unfinished(self, name: str) -> list[str]:
        return [each["Key"] for each in self.client.list_multipart_uploads(Bucket=name).get("Uploads", [])]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="somebody",
        aws_secret_access_key="something",
    )
    yield S3(url, client)
    client.close()
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "folder":
        return Objects(tmp_path / "made" / "when needed")
    return Objects(request.getfixturevalue("s3").bucket(f"bucket-{time.monotonic_ns()}"))


async def pieces(count: int, *, then: Exception | None = None) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE
    if then is not None:
        raise then


async def read(objects: Objects, key: str, start: int = 0, stop: int = 2**40) -> bytes:
    return b"".join([piece async for piece in await objects.read(key, start, stop)])


async def gone(objects: Objects, key: str) -> bool:
    try:
        await read(objects, key)
    except RequestError as error:
        assert (error.code, error.reason) == (ErrorCode.NOT_FOUND, "file_not_found")
        return True
    return False


@pytest.mark.req("CO-04")
@pytest.mark.parametrize("count", [1, 3, 200], ids=["64-KiB", "192-KiB", "12.5-MiB"])
async def test_what_was_put_is_read_again(objects: Objects, count: int) -> None:
    await objects.put("shop/file/content", pieces(count))
    assert await read(objects, "shop/file/content") == PIECE * count


async def test_what_was_put_at_once_is_read_again(objects: Objects) -> None:
    await objects.put_small("shop/file/thumbnail", b"small")
    assert await read(objects, "shop/file/thumbnail") == b"small"


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (10, 20), (65_530, 65_550), (190_000, 196_608), (196_600, 999_999)]
)
async def test_a_span_is_read_alone(objects: Objects, start: int, stop: int) -> None:
    await objects.put("shop/file/content", pieces(3))
    assert await read(objects, "shop/file/content", start, stop) == (PIECE * 3)[start:stop]


async def test_it_comes_in_small_pieces(objects: Objects) -> None:
    await objects.put("shop/file/content", pieces(100))
    sizes = [len(piece) async for piece in await objects.read("shop/file/content", 0, 2**40)]
    assert sum(sizes) == 100 * len(PIECE)
    assert max(sizes) <= 128 * 1024


async def test_what_is_not_there_is_not_found_before_the_first_byte(objects: Objects) -> None:
    await objects.put_small("shop/other/content", b"x")
    assert await gone(objects, "shop/file/content")


@pytest.mark.parametrize("count", [0, 1, 200], ids=["at-once", "early", "late"])
async def test_a_stream_that_fails_leaves_nothing(objects: Objects, count: int) -> None:
    fault = ConnectionResetError("the sender is gone")
    with pytest.raises(ConnectionResetError) as raised:
        await objects.put("shop/file/content", pieces(count, then=fault))
    assert raised.value is fault
    assert await gone(objects, "shop/file/content")


async def test_removing_takes_everything_below_and_nothing_beside(objects: Objects) -> None:
    for key in ("shop/file/a/content", "shop/file/a/thumbnail", "shop/file/b/content", "shop/file2/content"):
        await objects.put_small(key, b"x")
    await objects.remove("shop/file")
    await objects.remove("shop/file")
    assert [
        await gone(objects, key)
        for key in ("shop/file/a/content", "shop/file/a/thumbnail", "shop/file/b/content")
    ] == [True] * 3
    assert await read(objects, "shop/file2/content") == b"x"


async def test_a_cancelled_upload_leaves_nothing_to_be_found(objects: Objects) -> None:
    sent = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(PART_BYTES // len(PIECE) + 2):
            yield PIECE
        sent.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(objects.put("shop/file/content", endless()))
    await sent.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await gone(objects, "shop/file/content")


async def test_a_failed_upload_leaves_no_parts_at_s3(s3: S3) -> None:
    objects = Objects(s3.bucket("no-parts"))
    with pytest.raises(ConnectionResetError):
        await objects.put("shop/file/content", pieces(200, then=ConnectionResetError()))
    assert (s3.keys("no-parts"), s3.unfinished("no-parts")) == ([], [])
    await objects.put("shop/file/content", pieces(1))
    assert s3.keys("no-parts") == ["files/shop/file/content"]


async def test_a_folder_keeps_no_half_file(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    with pytest.raises(ConnectionResetError):
        await objects.put("shop/file/content", pieces(200, then=ConnectionResetError()))
    await objects.remove("shop/file")
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


async def test_a_folder_that_cannot_be_made_is_storage_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RequestError) as raised:
        await Objects(tmp_path / "file" / "below").put("a/b", pieces(1))
    assert (raised.value.code, raised.value.reason) == (ErrorCode.UNAVAILABLE, "storage_down")
    assert str(tmp_path) not in raised.value.message


async def test_an_s3_that_does_not_answer_is_storage_that_is_down(unused_tcp_port: int) -> None:
    there = Bucket("b-b-b", endpoint=f"http://127.0.0.1:{unused_tcp_port}", key="k", secret="s")
    with pytest.raises(RequestError) as raised:
        await read(Objects(there), "a/b")
    assert raised.value.reason == "storage_down"
    with pytest.raises(RequestError) as raised:
        await Objects(there).put("a/b", pieces(1))
    assert raised.value.reason == "storage_down"


def resident_bytes() -> int:
    """What this process holds in memory now."""
    with open("/proc/self/statm", encoding="ascii") as facts:
        return int(facts.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.req("CO-04", "I6")
async def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    await objects.put("warm/up", pieces(200))
    assert len(await read(objects, "warm/up", 0, MIB)) == MIB
    before = peak = resident_bytes()

    async def watched() -> AsyncIterator[bytes]:
        nonlocal peak
        for _ in range(3200):  # 200 MiB
            yield PIECE
            peak = max(peak, resident_bytes())

    await objects.put("shop/file/content", watched())
    size = 0
    async for piece in await objects.read("shop/file/content", 0, 2**40):
        size += len(piece)
        peak = max(peak, resident_bytes())
    assert size == 200 * MIB
    assert peak - before < 40 * MIB, f"{(peak - before) / MIB:.1f} MiB more for 200 MiB"
