"""The bytes of files over HTTP (CO-04): grants, what is refused, what a browser may do with what it gets."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from protocol.ids import AccountId, ConversationId, CustomerId, PersonId, ShopId, new_id
from server.services.file_grants import Direction, FileGrants
from server.services.file_types import EVERY_KIND, type_of
from server.store.files import Allowance, Facts, FileRow, Files, Receiving
from tests.scenarios.house import Node, until

pytestmark = pytest.mark.req("CO-04")
MIB = 1024 * 1024
PDF = b"%PDF-1.7\n" + b"0123456789" * 1000 + b"\n%%EOF\n"
SECRET = "a secret for scenarios that is long enough"


@dataclass
class Place:
    """One conversation on one node; files are granted straight from the store, as `file.upload` does."""

    node: Node
    shop: ShopId
    conversation: ConversationId
    customer: CustomerId
    folder: Path
    web: httpx.AsyncClient

    @property
    def files(self) -> Files:
        return Files(self.node.app.db)

    def word(self, way: Direction, file_id: str, *, shop: str | None = None, ago_s: float = 0) -> str:
        """A grant that was made so long ago."""
        grants = FileGrants(SECRET, send_s=900, fetch_s=900, now=lambda: time.time() - ago_s)
        return grants.make(way, ShopId(shop or self.shop), file_id)[0]

    async def granted(self, name: str, size: int) -> str:
        """A place for a file; its id."""
        file = FileRow(
            id=new_id(),
            shop_id=self.shop,
            conversation_id=self.conversation,
            uploader_kind="customer",
            uploader_id=PersonId(self.customer),
            name=name,
            size=size,
            media_type=type_of(name, EVERY_KIND).media_type,
            internal=False,
            width=0,
            height=0,
            thumbnail=False,
            state="granted",
            object="",
            sha256=None,
        )
        await self.files.grant(file, Allowance(1000, 2**40))
        return file.id

    async def send(self, file_id: str, content: Any, grant: str | None = None, **more: Any) -> httpx.Response:
        """PUT."""
        word = self.word("send", file_id) if grant is None else grant
        url = f"/v1/files/{file_id}/content"
        return await self.web.put(url, params={"grant": word}, content=content, **more)

    async def put(self, name: str, content: bytes) -> httpx.Response:
        """Place and bytes."""
        return await self.send(await self.granted(name, len(content)), content)

    async def get(self, file_id: str, part: str = "content", **headers: str) -> httpx.Response:
        """GET with a fresh grant."""
        return await self.web.get(
            f"/v1/files/{file_id}/{part}",
            params={"grant": self.word("fetch", file_id)},
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    async def rows(self) -> list[tuple[str, str, bool]]:
        """Id, state, and whether an upload is under way, of all files."""
        found = await self.node.app.db.fetch("SELECT id, state, receiving_until FROM files ORDER BY id")
        return [(row["id"], row["state"], row["receiving_until"] is not None) for row in found]

    def on_disk(self) -> list[str]:
        """All files in the folder, those half written too."""
        return [path.name for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
async def place(migrated_database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    node = await Node.start(
        "n1",
        migrated_database_url,
        redis_url,
        files=str(tmp_path / "files"),
        file_image_pixels=4_000_000,
    )
    app = node.app
    shop = await app.shop_store.add(slug="demo", name="Demo", policy={})
    customer = await app.customer_store.add_anonymous(shop.id, name="Mei")
    conversation = ConversationId(new_id())
    await app.conversations.open(shop.id, customer.id, conversation, order_state="no_active_order")
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=30) as web:
        yield Place(node, shop.id, conversation, customer.id, tmp_path / "files", web)
    await node.stop()


def image(width: int, height: int, format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (1, 2, 3)).save(out, format)
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of `side` x `side` pixels in a few KiB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + side // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def packed(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return out.getvalue()


# --- up --------------------------------------------------------------------------------------------------------------
async def test_what_was_sent_comes_back(place: Place) -> None:
    answer = await place.put("a.pdf", PDF)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["name"], said["media_type"], said["size_bytes"]) == ("a.pdf", "application/pdf", len(PDF))
    back = await place.get(said["file_id"])
    assert (back.status_code, back.content, back.headers["content-type"]) == (200, PDF, "application/pdf")


GOOD = {
    "a.jpg": image(8, 8, "JPEG"),
    "a.png": image(8, 8),
    "a.gif": image(8, 8, "GIF"),
    "a.webp": image(8, 8, "WEBP"),
    "a.pdf": PDF,
    "a.txt": b"just words",
    "short.log": b"x",
    "gbk.log": "日志：出错了".encode("gbk"),
    "wide.csv": "a,b\r\n".encode("utf-16"),
    "a.json": b'{"a": 1}',
    "a.zip": packed("a.txt"),
    "a.docx": packed("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "a.xlsx": packed("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    "a.doc": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "a.mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(100),
    "a.mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(100),
    "a.webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    + bytes(40),
    "a.mp3": b"ID3\x03\0\0\0\0\0\x0f" + bytes(40),
    "a.m4a": b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom" + bytes(40),
    "a.ogg": b"OggS\0\2" + bytes(30),
    "a.wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(20),
    "A.7Z": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(20),
}
MARKUP = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
PROGRAM = b"MZ\x90\x00\x03" + bytes(200)
BAD = {
    "page.txt": MARKUP,
    "blanks.txt": b"\xef\xbb\xbf \r\n\t" + MARKUP,
    "drawing.txt": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "xml.log": b'<?xml version="1.0"?><svg/>',
    "program.txt": PROGRAM,
    "program.jpg": PROGRAM,
    "program.pdf": PROGRAM,
    "elf.zip": b"\x7fELF\x02\x01\x01" + bytes(100),
    "page.pdf": MARKUP,
    "page.png": MARKUP,
    "picture.jpg": image(8, 8, "PNG"),
    "cut.png": image(300, 300)[:200],
    "cut.jpg": image(800, 800, "JPEG")[:-600],
    "head.gif": b"GIF89a" + MARKUP,
    "plain.docx": packed("a.txt"),
    "sheet.docx": packed("[Content_Types].xml", "xl/workbook.xml"),
    "movie.mp3": GOOD["a.mp4"],
    "sound.webp": GOOD["a.wav"],
}


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_what_its_name_says_is_taken(place: Place, name: str) -> None:
    answer = await place.put(name, GOOD[name])
    assert answer.status_code == 201, answer.text
    assert (await place.get(answer.json()["file_id"])).content == GOOD[name]


@pytest.mark.parametrize("name", BAD)
async def test_what_is_not_what_its_name_says_is_deleted(place: Place, name: str) -> None:
    file_id = await place.granted(name, len(BAD[name]))
    answer = await place.send(file_id, BAD[name])
    assert (answer.status_code, answer.json()["reason"]) == (422, "not_what_it_says")
    assert (await place.rows(), place.on_disk()) == ([], [])
    assert (await place.send(file_id, BAD[name])).status_code == 404
    assert (await place.get(file_id)).status_code == 404


async def test_an_image_of_too_many_pixels_is_not_decoded(place: Place) -> None:
    data = bomb(40_000)  # 1.6 thousand million pixels, 200 MB decoded
    assert len(data) < MIB
    before = peak_bytes()
    answer = await place.put("small.png", data)
    assert (answer.status_code, answer.json()["reason"]) == (422, "too_many_pixels")
    assert peak_bytes() - before < 30 * MIB
    assert (await place.rows(), place.on_disk()) == ([], [])


async def test_images_are_decoded_beside_the_loop(place: Place) -> None:
    """While images are being decoded, others are answered."""
    data = image(1990, 1990, "WEBP")
    decoding = [asyncio.create_task(place.put("a.webp", data)) for _ in range(6)]
    slowest = 0.0
    while not all(task.done() for task in decoding):
        began = time.perf_counter()
        assert (await place.web.get("/livez")).status_code == 200
        slowest = max(slowest, time.perf_counter() - began)
    assert [task.result().status_code for task in decoding] == [201] * 6
    assert slowest < 1.0


@pytest.mark.parametrize("by", [-1, 1, 5_000_000])
async def test_exactly_what_was_announced_must_come(place: Place, by: int) -> None:
    content = PDF[:by] if by < 0 else PDF + b"x" * by
    file_id = await place.granted("a.pdf", len(PDF))
    try:
        answer = await place.send(file_id, content)
        assert (answer.status_code, answer.json()["reason"]) == (422, "size_differs")
        assert answer.headers["connection"] == "close"
    except httpx.TransportError:
        assert by > MIB, "only who goes on sending may miss the answer"

    async def free() -> bool:
        return await place.rows() == [(file_id, "granted", False)]

    await until(free, what="the place's being free again")
    assert place.on_disk() == []
    assert (await place.send(file_id, PDF)).status_code == 201


async def test_a_broken_upload_leaves_nothing_and_may_be_tried_again(place: Place) -> None:
    data = GOOD["a.mp4"] + bytes(20 * MIB)
    file_id = await place.granted("a.mp4", len(data))
    at = urlsplit(place.node.url)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    path = f"/v1/files/{file_id}/content?grant={place.word('send', file_id)}"
    writer.write(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode())
    writer.write(data[: 12 * MIB])
    await writer.drain()

    async def writing() -> bool:
        return bool(place.on_disk())

    await until(writing, what="the first bytes' being written")
    assert (await place.send(file_id, data[:100])).json()["reason"] == "under_way"
    assert (await place.get(file_id)).status_code == 404, "nobody gets half a file"
    writer.transport.abort()

    async def free() -> bool:
        return await place.rows() == [(file_id, "granted", False)] and place.on_disk() == []

    await until(free, what="the place's being free again")
    assert (await place.send(file_id, data)).status_code == 201
    assert (await place.get(file_id)).content == data


async def test_what_a_node_left_behind_when_it_died_is_replaced(place: Place) -> None:
    file_id = await place.granted("a.pdf", len(PDF))
    died = f"{place.shop}/{file_id}/{new_id()}"
    taken = await place.files.receive(place.shop, file_id, object=died, within_s=3600)
    assert isinstance(taken, Receiving)
    (place.folder / died).mkdir(parents=True)
    (place.folder / died / "content#1").write_bytes(PDF[:100])
    assert (await place.send(file_id, PDF)).json()["reason"] == "under_way"

    await place.node.app.db.execute("UPDATE files SET receiving_until = now() - interval '1 second'")
    assert (await place.send(file_id, PDF)).status_code == 201
    assert place.on_disk() == ["content"]
    assert not await place.files.stored(taken.file, Facts(bytes(32))), (
        "whoever comes back too late has lost it"
    )
    assert (await place.get(file_id)).content == PDF


async def test_a_node_takes_so_many_uploads_at_once(place: Place) -> None:
    transfer = place.node.app.files.transfer
    transfer._rules = replace(transfer._rules, uploads_parallel=1)
    file_id = await place.granted("a.pdf", len(PDF))
    go = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PDF[:100]
        await go.wait()
        yield PDF[100:]

    first = asyncio.create_task(place.send(file_id, slow()))
    await until(lambda: transfer.under_way == 1, what="the first one's beginning")
    second = await place.put("b.pdf", PDF)
    assert (second.status_code, second.json()["reason"]) == (503, "busy")
    assert "retry-after" in second.headers
    go.set()
    assert (await first).status_code == 201
    assert transfer.under_way == 0
    assert (await place.put("b.pdf", PDF)).status_code == 201


def peak_bytes() -> int:
    """What this process holds in memory now."""
    with open("/proc/self/statm", encoding="ascii") as facts:
        return int(facts.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.req("I6")
async def test_fifty_mebibytes_up_and_down_do_not_fill_the_memory(place: Place) -> None:
    await place.put("a.mp4", GOOD["a.mp4"] + bytes(8 * MIB))  # whatever is loaded once is loaded now
    size = len(GOOD["a.mp4"]) + 50 * MIB
    before = peak = peak_bytes()

    async def content() -> AsyncIterator[bytes]:
        nonlocal peak
        yield GOOD["a.mp4"]
        for _ in range(800):
            yield bytes(64 * 1024)
            peak = max(peak, peak_bytes())

    file_id = await place.granted("a.mp4", size)
    assert (await place.send(file_id, content())).status_code == 201
    received = 0
    url = f"/v1/files/{file_id}/content"
    async with place.web.stream("GET", url, params={"grant": place.word("fetch", file_id)}) as answer:
        async for piece in answer.aiter_raw():
            received += len(piece)
            peak = max(peak, peak_bytes())
    assert received == size
    assert peak - before < 30 * MIB, f"{(peak - before) / MIB:.1f} MiB more"


# --- grants ----------------------------------------------------------------------------------------------------------
async def test_a_place_takes_one_file(place: Place) -> None:
    file_id = await place.granted("a.pdf", len(PDF))
    assert (await place.send(file_id, PDF)).status_code == 201
    again = await place.send(file_id, PDF)
    assert (again.status_code, again.json()["reason"]) == (409, "already_sent")
    assert (await place.get(file_id)).content == PDF


async def test_of_two_uploads_at_once_one_wins(place: Place) -> None:
    file_id = await place.granted("a.pdf", len(PDF))
    answers = await asyncio.gather(*(place.send(file_id, PDF) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert place.on_disk() == ["content"]


async def test_a_grant_is_for_one_file_one_way_one_shop_and_some_minutes(place: Place) -> None:
    file_id, other = await place.granted("a.pdf", len(PDF)), await place.granted("b.pdf", len(PDF))
    old = place.word("send", file_id, ago_s=901)
    words = {
        "of another file": (place.word("send", other), 401, "grant_invalid"),
        "the other way": (place.word("fetch", file_id), 401, "grant_invalid"),
        "of another shop": (place.word("send", file_id, shop=new_id()), 404, "file_not_found"),
        "expired": (old, 401, "grant_expired"),
        "forged": (place.word("send", file_id)[:-3] + "AAA", 401, "grant_invalid"),
        "no grant": ("x", 401, "grant_invalid"),
        "an access token": (
            place.node.app.tokens.access(place.shop, AccountId("x"), frozenset(), 0),
            401,
            "grant_invalid",
        ),
    }
    for what, (word, status, reason) in words.items():
        answer = await place.send(file_id, PDF, word)
        assert (answer.status_code, answer.json()["reason"]) == (status, reason), what
    assert {row[1] for row in await place.rows()} == {"granted"}
    assert (await place.send(file_id, PDF)).status_code == 201
    url = f"/v1/files/{file_id}/content"
    for what, word, status in (
        ("the other way", place.word("send", file_id), 401),
        ("expired", place.word("fetch", file_id, ago_s=901), 401),
        ("of another shop", place.word("fetch", file_id, shop=new_id()), 404),
        ("of another file", place.word("fetch", other), 401),
    ):
        assert (await place.web.get(url, params={"grant": word})).status_code == status, what
    assert (await place.web.get(url)).status_code == 422


# --- down ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.png", "a.mp4"])
async def test_nothing_that_came_from_people_is_run_by_a_browser(place: Place, name: str) -> None:
    file_id = (await place.put(name, GOOD[name])).json()["file_id"]
    headers = (await place.get(file_id)).headers
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy.replace(";", "").split(), "without any exception"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"].startswith("private")
    assert "charset" not in headers["content-type"]


async def test_a_thumbnail_is_ours_and_shown_in_place(place: Place) -> None:
    file_id = (await place.put("a.gif", image(800, 400, "GIF"))).json()["file_id"]
    answer = await place.get(file_id, "thumbnail")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("image/webp", "inline")
    assert answer.headers["x-content-type-options"] == "nosniff"
    with Image.open(io.BytesIO(answer.content)) as small:
        assert small.size == (320, 160)
    document = (await place.put("a.pdf", PDF)).json()["file_id"]
    assert (await place.get(document, "thumbnail")).status_code == 404


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("a b.pdf", "a b.pdf", "a%20b.pdf"),
        ("说明.pdf", "__.pdf", "%E8%AF%B4%E6%98%8E.pdf"),
        ("q\";x=y'.pdf", "q__x_y_.pdf", "q%22%3Bx%3Dy%27.pdf"),
        ("100%.pdf", "100_.pdf", "100%25.pdf"),
    ],
)
async def test_a_name_is_one_name_whatever_is_in_it(place: Place, name: str, plain: str, exact: str) -> None:
    file_id = (await place.put(name, PDF)).json()["file_id"]
    said = (await place.get(file_id)).headers["content-disposition"]
    assert said == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("0-0", 0, 1),
        ("0-99", 0, 100),
        ("100-", 100, None),
        ("-7", -7, None),
        ("9000-999999", 9000, None),
        ("0-", 0, None),
    ],
)
async def test_a_span_of_a_file(place: Place, asked: str, start: int, stop: int | None) -> None:
    file_id = (await place.put("a.pdf", PDF)).json()["file_id"]
    answer = await place.get(file_id, range=f"bytes={asked}")
    wanted = PDF[start:stop]
    first = start if start >= 0 else len(PDF) + start
    assert (answer.status_code, answer.content) == (206, wanted)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(PDF)}"
    assert answer.headers["content-length"] == str(len(wanted))


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "lines=1-2", "bytes=a-b", "bytes"]
)
async def test_a_span_that_is_not_understood_is_the_whole_file(place: Place, asked: str) -> None:
    file_id = (await place.put("a.pdf", PDF)).json()["file_id"]
    answer = await place.get(file_id, range=asked)
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0"])
async def test_a_span_beyond_the_file_is_refused(place: Place, asked: str) -> None:
    file_id = (await place.put("a.pdf", PDF)).json()["file_id"]
    answer = await place.get(file_id, range=asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(PDF)}")


async def test_a_span_of_what_it_was_before_is_the_whole_file(place: Place) -> None:
    file_id = (await place.put("a.pdf", PDF)).json()["file_id"]
    tag = (await place.get(file_id)).headers["etag"]
    same = await place.get(file_id, range="bytes=0-1", if_range=tag)
    changed = await place.get(file_id, range="bytes=0-1", if_range='"another"')
    assert (same.status_code, changed.status_code, changed.content) == (206, 200, PDF)


# --- pages -----------------------------------------------------------------------------------------------------------
async def test_the_widgets_page_may_send_and_fetch(place: Place) -> None:
    origin = {"Origin": "https://shop.example"}
    file_id = await place.granted("a.pdf", len(PDF))
    url = f"/v1/files/{file_id}/content"
    asked = await place.web.options(url, headers={**origin, "Access-Control-Request-Method": "PUT"})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    assert "PUT" in asked.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in asked.headers
    refused = await place.send(file_id, PDF, "x", headers=origin)
    taken = await place.send(file_id, PDF, headers=origin)
    got = await place.get(file_id, origin="https://shop.example")
    for answer, status in ((refused, 401), (taken, 201), (got, 200)):
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["vary"] == "Origin"
    assert got.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_a_type_named_by_the_sender_means_nothing(place: Place) -> None:
    file_id = await place.granted("a.pdf", len(PDF))
    assert (await place.send(file_id, PDF, headers={"Content-Type": "text/html"})).status_code == 201
    assert (await place.get(file_id)).headers["content-type"] == "application/pdf"


async def test_storage_that_is_down_is_said_and_may_be_tried_again(place: Place) -> None:
    place.folder.mkdir(parents=True)
    blocked = place.folder / place.shop
    blocked.write_text("in the way")
    file_id = await place.granted("a.pdf", len(PDF))
    answer = await place.send(file_id, PDF)
    assert (answer.status_code, answer.json()["reason"]) == (503, "storage_down")
    assert str(place.folder) not in answer.text
    blocked.unlink()

    async def taken() -> bool:
        return (await place.send(file_id, PDF)).status_code == 201

    await until(taken, what="the place's being free again")
