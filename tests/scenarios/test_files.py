"""Files to customers and colleagues (CO-04): who may send, who may fetch, and what never reaches the customer."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import new_id
from protocol.states import Role
from server.services.file_types import FileKind
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until
from tests.scenarios.raw import raw_socket

pytestmark = pytest.mark.req("CO-04")
KIB = 1024


@pytest.fixture(params=[1, 2], ids=["one-node", "two-nodes"])
async def house(
    request: pytest.FixtureRequest, migrated_database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    """A house whose nodes share a folder for files, with limits that a test can reach."""
    house = await House.start(
        migrated_database_url,
        redis_url,
        nodes=request.param,
        files=str(tmp_path / "files"),
        file_customer_bytes=64 * KIB,
        file_agent_bytes=128 * KIB,
        file_customer_daily=5,
        file_customer_daily_bytes=200 * KIB,
        file_image_pixels=1_000_000,
    )
    try:
        yield house
    finally:
        await house.stop()


def photo(width: int = 640, height: int = 480, format: str = "JPEG", **more: Any) -> bytes:
    """An image in one colour."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 60, 30)).save(out, format, **more)
    return out.getvalue()


async def web(person: Person, method: str, url: str, node: int = -1, **more: Any) -> httpx.Response:
    """Over HTTP, to the person's node, or to another one."""
    base = person.node.url if node < 0 else person.shop.house.nodes[node].url
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        return await http.request(method, url, **more)


async def uploads(
    person: Person, conversation: str, name: str, data: bytes, *, internal: bool = False
) -> str:
    """A file's whole way up; its id."""
    place = await person.asks(
        "file.upload", conversation_id=conversation, name=name, size_bytes=len(data), internal=internal
    )
    # The last node takes the bytes, whichever gave the grant.
    answer = await web(person, "PUT", place.url, node=len(person.shop.house.nodes) - 1, content=data)
    assert answer.status_code == 201, answer.text
    return place.file_id


async def sends(person: Person, conversation: str, kind: str, file_id: str, **claims: Any) -> Any:
    """A message that names a file."""
    return await person.asks(
        "message.send",
        conversation_id=conversation,
        client_message_id=new_id(),
        body={"kind": kind, "file_id": file_id, "name": "what the client claims", **claims},
    )


async def refused_to_send(person: Person, conversation: str, kind: str, file_id: str) -> RequestError:
    try:
        await sends(person, conversation, kind, file_id)
    except RequestError as error:
        return error
    raise AssertionError("it was sent")


async def notes(person: Person, conversation: str, file_id: str) -> Any:
    """A note that names a file."""
    return await person.asks(
        "note.send",
        conversation_id=conversation,
        client_message_id=new_id(),
        body={"kind": "file", "file_id": file_id, "name": "notes"},
    )


async def sees_file(person: Person, conversation: str, file_id: str) -> Any:
    """Wait until an entry that names the file is in this client's log; its body."""

    def holds() -> Any:
        log = person.client.logs.get(conversation)
        for message in [] if log is None else log.messages:
            if getattr(message.body, "file_id", None) == file_id:
                return message.body
        return None

    return await until(holds, what=f"{person.name} seeing the file")


async def fetches(person: Person, file_id: str) -> bytes:
    """The bytes, by a fresh link."""
    link = await person.asks("file.link", file_id=file_id)
    answer = await web(person, "GET", link.url)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.fixture
async def shop(house: House) -> Shop:
    return await house.shop()


@pytest.fixture
async def lin(shop: Shop) -> Agent:
    return await shop.agent("Lin")


@pytest.fixture
async def mei(shop: Shop, lin: Agent) -> Customer:
    return await shop.customer("Mei")


@pytest.fixture
async def talk(mei: Customer, lin: Agent) -> str:
    """Their conversation."""
    conversation = await mei.opens("my order came broken")
    await lin.sees(conversation, owner=lin.id)
    return conversation


# --- what people came for --------------------------------------------------------------------------------------------
async def test_a_customer_sends_a_photo_and_the_agent_sees_it(mei: Customer, lin: Agent, talk: str) -> None:
    data = photo(640, 480)
    file_id = await uploads(mei, talk, "IMG 1.jpg", data)
    await sends(mei, talk, "image", file_id, width=1, height=1, size_bytes=1)

    body = await sees_file(lin, talk, file_id)
    assert (body.name, body.width, body.height, body.size_bytes) == ("IMG 1.jpg", 640, 480, len(data))
    link = await lin.asks("file.link", file_id=file_id)
    assert (link.name, link.media_type, link.size_bytes) == ("IMG 1.jpg", "image/jpeg", len(data))
    small = await web(lin, "GET", link.thumbnail_url)
    with Image.open(io.BytesIO(small.content)) as image:
        assert (image.format, image.size) == ("WEBP", (320, 240))
    assert await fetches(lin, file_id) == data


async def test_a_photo_on_its_side_is_shown_upright(mei: Customer, lin: Agent, talk: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file_id = await uploads(mei, talk, "phone.jpg", photo(600, 300, exif=exif))
    await sends(mei, talk, "image", file_id)
    body = await sees_file(lin, talk, file_id)
    assert (body.width, body.height) == (300, 600)
    link = await lin.asks("file.link", file_id=file_id)
    with Image.open(io.BytesIO((await web(lin, "GET", link.thumbnail_url)).content)) as image:
        assert image.size == (160, 320)
        assert len(image.getexif()) == 0, "a thumbnail says nothing about where a photo was taken"


async def test_an_agent_sends_a_customer_a_document(mei: Customer, lin: Agent, talk: str) -> None:
    data = b"%PDF-1.7\n% the manual\n%%EOF\n"
    file_id = await uploads(lin, talk, "Manual 说明书.pdf", data)
    await sends(lin, talk, "file", file_id)
    assert (await sees_file(mei, talk, file_id)).name == "Manual 说明书.pdf"
    assert await fetches(mei, file_id) == data
    link = await mei.asks("file.link", file_id=file_id)
    assert link.thumbnail_url is None


async def test_a_file_that_was_not_sent_yet_is_its_uploaders_alone(
    mei: Customer, lin: Agent, talk: str
) -> None:
    file_id = await uploads(lin, talk, "draft.pdf", b"%PDF-1.7\n%%EOF\n")
    assert await fetches(lin, file_id)
    assert (await mei.refused("file.link", file_id=file_id)).code is ErrorCode.NOT_FOUND
    assert (await refused_to_send(mei, talk, "file", file_id)).code is ErrorCode.NOT_FOUND


async def test_a_recalled_message_takes_its_file_back(mei: Customer, lin: Agent, talk: str) -> None:
    file_id = await uploads(lin, talk, "wrong.pdf", b"%PDF-1.7\n%%EOF\n")
    sent = await sends(lin, talk, "file", file_id)
    await sees_file(mei, talk, file_id)
    await lin.asks("message.recall", conversation_id=talk, message_id=sent.message_id)
    assert (await mei.refused("file.link", file_id=file_id)).code is ErrorCode.NOT_FOUND


async def test_the_same_send_again_is_the_same_message(mei: Customer, talk: str) -> None:
    file_id = await uploads(mei, talk, "a.png", photo(20, 20, "PNG"))
    params: dict[str, Any] = {
        "conversation_id": talk,
        "client_message_id": new_id(),
        "body": {"kind": "image", "file_id": file_id},
    }
    first = await mei.asks("message.send", **params)
    again = await mei.asks("message.send", **params)
    assert (again.seq, again.duplicate) == (first.seq, True)


async def test_text_said_after_a_photo_comes_after_it(mei: Customer, lin: Agent, talk: str) -> None:
    file_id = await uploads(mei, talk, "a.png", photo(20, 20, "PNG"))
    said = await asyncio.gather(
        mei.says(talk, "before"), sends(mei, talk, "image", file_id), mei.says(talk, "after")
    )
    assert [each.seq for each in said] == sorted(each.seq for each in said)
    await lin.reads(talk, "after")
    await sees_file(lin, talk, file_id)


# --- what the customer must not see -----------------------------------------------------------------------------------
async def test_an_internal_file_never_reaches_the_customer(mei: Customer, lin: Agent, talk: str) -> None:
    async with raw_socket(mei, mei.shop.house.next_node()) as (ear, ticket):
        await ear.asks("session.hello", ticket=ticket, client={"name": "t", "version": "1", "device": "web"})
        await ear.until_heard("session.ready")
        ear.heard.clear()
        file_id = await uploads(lin, talk, "customer-record.pdf", b"%PDF-1.7\n%%EOF\n", internal=True)
        error = await refused_to_send(lin, talk, "file", file_id)
        assert (error.code, error.reason) == (ErrorCode.INVALID_PARAMS, "file_is_internal")
        await notes(lin, talk, file_id)
        assert await fetches(lin, file_id)
        await lin.says(talk, "let me look")
        frames = await ear.until_heard("message.created")
        assert [frame["params"]["body"]["text"] for frame in frames if frame["method"] != "hb"] == [
            "let me look"
        ]

    never = await mei.refused("file.link", file_id=new_id())
    error = await mei.refused("file.link", file_id=file_id)
    assert (error.code, error.reason, error.message) == (never.code, never.reason, never.message)
    assert (await refused_to_send(mei, talk, "file", file_id)).code is ErrorCode.NOT_FOUND

    await lin.says(talk, "one moment")
    await mei.reads(talk, "one moment")
    history = await mei.asks("message.history", conversation_id=talk)
    assert "customer-record" not in history.model_dump_json()
    assert file_id not in history.model_dump_json()
    everything = repr([log.messages for log in mei.client.logs.values()])
    assert file_id not in everything


@pytest.mark.req("CO-12")
async def test_who_watches_shows_a_file_to_colleagues_only(
    shop: Shop, mei: Customer, lin: Agent, talk: str
) -> None:
    sue = await shop.agent("Sue", roles=(Role.SUPERVISOR,), status="offline")
    await sue.asks("monitor.watch", conversation_id=talk)
    error = await sue.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert (error.code, error.reason) == (ErrorCode.FORBIDDEN, "not_taking_part")
    file_id = await uploads(sue, talk, "hint.pdf", b"%PDF-1.7\n%%EOF\n", internal=True)
    await notes(sue, talk, file_id)
    assert await fetches(lin, file_id)
    assert (await mei.refused("file.link", file_id=file_id)).code is ErrorCode.NOT_FOUND


@pytest.mark.req("CO-01")
async def test_a_colleague_who_was_asked_in_sends_the_customer_a_file(
    shop: Shop, mei: Customer, lin: Agent, talk: str
) -> None:
    wang = await shop.agent("Wang", status="paused")
    await lin.asks("participant.invite", conversation_id=talk, account_ids=[wang.id])
    asked = await wang.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert asked.code is ErrorCode.FORBIDDEN
    await wang.asks("participant.join", conversation_id=talk)
    file_id = await uploads(wang, talk, "a.pdf", b"%PDF-1.7\n%%EOF\n")
    await sends(wang, talk, "file", file_id)
    assert await fetches(mei, file_id)
    assert await fetches(lin, file_id)


async def test_a_customer_cannot_upload_internal_files(mei: Customer, talk: str) -> None:
    error = await mei.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10, internal=True)
    assert (error.code, error.reason) == (ErrorCode.FORBIDDEN, "not_for_customers")


# --- who may ----------------------------------------------------------------------------------------------------------
async def test_who_takes_no_part_sends_nothing(shop: Shop, mei: Customer, talk: str) -> None:
    boss = await shop.agent("Boss", roles=(Role.OWNER, Role.AGENT), status="paused")
    for internal in (False, True):
        error = await boss.refused(
            "file.upload", conversation_id=talk, name="a.pdf", size_bytes=10, internal=internal
        )
        assert (error.code, error.reason) == (ErrorCode.FORBIDDEN, "not_taking_part")


async def test_a_conversation_of_somebody_else_does_not_exist(shop: Shop, mei: Customer, talk: str) -> None:
    stranger = await shop.customer("Bo")
    error = await stranger.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert error.code is ErrorCode.NOT_FOUND
    file_id = await uploads(mei, talk, "a.pdf", b"%PDF-1.7\n%%EOF\n")
    await sends(mei, talk, "file", file_id)
    assert (await stranger.refused("file.link", file_id=file_id)).code is ErrorCode.NOT_FOUND


async def test_a_file_of_another_conversation_cannot_be_named(
    shop: Shop, mei: Customer, lin: Agent, talk: str
) -> None:
    bo = await shop.customer("Bo")
    other = await bo.opens("another question")
    await lin.sees(other, owner=lin.id)
    file_id = await uploads(lin, talk, "for-mei.pdf", b"%PDF-1.7\n%%EOF\n")
    assert (await refused_to_send(lin, other, "file", file_id)).code is ErrorCode.NOT_FOUND


@pytest.mark.req("I5")
async def test_nothing_crosses_shops(house: House, mei: Customer, talk: str) -> None:
    file_id = await uploads(mei, talk, "a.pdf", b"%PDF-1.7\n%%EOF\n")
    await sends(mei, talk, "file", file_id)
    other = await house.shop()
    theirs = await other.agent("Theirs")
    bo = await other.customer("Bo")
    conversation = await bo.opens()
    await theirs.sees(conversation, owner=theirs.id)
    assert (await theirs.refused("file.link", file_id=file_id)).code is ErrorCode.NOT_FOUND
    error = await theirs.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert error.code is ErrorCode.NOT_FOUND
    assert (await refused_to_send(theirs, conversation, "file", file_id)).code is ErrorCode.NOT_FOUND


async def test_a_closed_conversation_takes_no_files(shop: Shop, mei: Customer, lin: Agent, talk: str) -> None:
    await shop.set_policy(wrap_up_s=0)
    await lin.asks("conversation.end", conversation_id=talk)
    await mei.sees(talk, state="closed")
    error = await mei.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert (error.code, error.reason) == (ErrorCode.INVALID_STATE, "conversation_closed")


# --- how much ---------------------------------------------------------------------------------------------------------
async def test_too_large_is_said_before_a_byte_is_sent(mei: Customer, lin: Agent, talk: str) -> None:
    error = await mei.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=64 * KIB + 1)
    assert (error.code, error.reason) == (ErrorCode.INVALID_PARAMS, "file_too_large")
    assert await lin.asks("file.upload", conversation_id=talk, name="a.pdf", size_bytes=64 * KIB + 1)
    error = await lin.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=128 * KIB + 1)
    assert error.reason == "file_too_large"


async def test_so_many_files_a_day_and_no_more(mei: Customer, lin: Agent, talk: str) -> None:
    asked: list[Any] = await asyncio.gather(
        *(
            mei.client.request("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
            for _ in range(8)
        ),
        return_exceptions=True,
    )
    refused = [each for each in asked if isinstance(each, RequestError)]
    assert [(error.code, error.reason) for error in refused] == [
        (ErrorCode.RATE_LIMITED, "too_many_files")
    ] * 3
    assert await lin.asks("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)


async def test_so_many_bytes_a_day_and_no_more(mei: Customer, talk: str) -> None:
    for _ in range(3):
        await mei.asks("file.upload", conversation_id=talk, name="a.pdf", size_bytes=60 * KIB)
    error = await mei.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=60 * KIB)
    assert (error.code, error.reason) == (ErrorCode.RATE_LIMITED, "too_many_files")


# --- what -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["page.html", "drawing.svg", "setup.exe", "run.sh", "photo.jpg.exe", "noname"]
)
async def test_what_is_not_taken_is_refused_by_its_name(mei: Customer, talk: str, name: str) -> None:
    error = await mei.refused("file.upload", conversation_id=talk, name=name, size_bytes=10)
    assert (error.code, error.reason) == (ErrorCode.INVALID_PARAMS, "type_not_allowed")


async def test_a_shop_chooses_what_it_takes(shop: Shop, mei: Customer, talk: str) -> None:
    await shop.app.files.requests.set_kinds(shop.caller(), frozenset({FileKind.IMAGE}), rev=0)
    error = await mei.refused("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert error.reason == "type_not_allowed"
    assert ".pdf" in error.message
    assert await mei.asks("file.upload", conversation_id=talk, name="a.png", size_bytes=10)


async def test_a_document_is_no_image(mei: Customer, talk: str) -> None:
    file_id = await uploads(mei, talk, "a.pdf", b"%PDF-1.7\n%%EOF\n")
    error = await refused_to_send(mei, talk, "image", file_id)
    assert (error.code, error.reason) == (ErrorCode.INVALID_PARAMS, "not_an_image")


async def test_a_file_that_never_came_cannot_be_named(mei: Customer, talk: str) -> None:
    place = await mei.asks("file.upload", conversation_id=talk, name="a.pdf", size_bytes=10)
    assert (await refused_to_send(mei, talk, "file", place.file_id)).code is ErrorCode.NOT_FOUND
    assert (await mei.refused("file.link", file_id=place.file_id)).code is ErrorCode.NOT_FOUND


# --- afterwards -------------------------------------------------------------------------------------------------------
async def test_what_nobody_named_is_deleted_after_a_day(
    house: House, mei: Customer, lin: Agent, talk: str, tmp_path: Path
) -> None:
    app = house.app
    pdf = b"%PDF-1.7\n%%EOF\n"
    named = await uploads(mei, talk, "named.pdf", pdf)
    await sends(mei, talk, "file", named)
    loose = await uploads(mei, talk, "loose.pdf", pdf)
    never = (await mei.asks("file.upload", conversation_id=talk, name="never.pdf", size_bytes=10)).file_id
    noted = await uploads(lin, talk, "noted.pdf", pdf, internal=True)
    await notes(lin, talk, noted)
    fresh = await uploads(mei, talk, "fresh.pdf", pdf)
    await app.db.execute("UPDATE files SET touched_at = now() - interval '25 hours' WHERE id <> $1", fresh)

    await app.files.transfer.sweep()
    rows = await app.db.fetch("SELECT id FROM files")
    assert {row["id"] for row in rows} == {named, noted, fresh}
    assert never not in {row["id"] for row in rows}
    kept = {path.parts[-3] for path in (tmp_path / "files").rglob("content")}
    assert kept == {named, noted, fresh}
    assert (await refused_to_send(mei, talk, "file", loose)).code is ErrorCode.NOT_FOUND
    assert await app.files.transfer.sweep() == 0
