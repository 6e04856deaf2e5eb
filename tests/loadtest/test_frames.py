"""The driver's frames against the `websockets` library's reading of RFC 6455."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from loadtest.frames import CLOSE, PING, TEXT, FrameError, FrameReader, accepted, frame, handshake


def read_by_websockets(data: bytes) -> Frame:
    """What a server makes of a client's bytes."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=True, max_size=None)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    return done.value.value


@pytest.mark.parametrize("size", [0, 1, 5, 125, 126, 200, 65_535, 65_536])
def test_a_server_reads_what_the_driver_writes(size: int) -> None:
    payload = bytes(index % 251 for index in range(size))
    read = read_by_websockets(frame(payload))
    assert (read.opcode, read.data, read.fin) == (Opcode.TEXT, payload, True)


@given(st.lists(st.binary(max_size=300), max_size=6), st.data())
def test_the_driver_reads_what_a_server_writes_wherever_it_is_cut(
    payloads: list[bytes], data: st.DataObject
) -> None:
    written = b"".join(Frame(Opcode.TEXT, payload).serialize(mask=False) for payload in payloads)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=8)))
    reader = FrameReader()
    heard: list[tuple[int, bytes]] = []
    for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True):
        heard += reader.feed(written[start:end])
    assert heard == [(TEXT, payload) for payload in payloads]


@pytest.mark.parametrize("size", [70_000, 126, 65_535])
def test_long_frames_are_read_whole(size: int) -> None:
    reader = FrameReader()
    assert reader.feed(Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)) == [(TEXT, b"x" * size)]


def test_pings_and_closes_come_through_between_texts() -> None:
    written = b"".join(
        Frame(opcode, payload).serialize(mask=False)
        for opcode, payload in (
            (Opcode.PING, b"?"),
            (Opcode.TEXT, b"{}"),
            (Opcode.CLOSE, b"\x03\xe8bye"),
        )
    )
    assert FrameReader().feed(written) == [(PING, b"?"), (TEXT, b"{}"), (CLOSE, b"\x03\xe8bye")]


@pytest.mark.parametrize(
    "wrong",
    [
        Frame(Opcode.TEXT, b"half", fin=False).serialize(mask=False),
        b"\xc1\x02{}",
        Frame(Opcode.TEXT, b"{}").serialize(mask=True),
    ],
    ids=["a fragment", "a reserved bit", "a mask"],
)
def test_what_the_driver_cannot_take_is_said(wrong: bytes) -> None:
    with pytest.raises(FrameError):
        FrameReader().feed(wrong)


def test_a_server_accepts_the_handshake_and_the_driver_its_answer() -> None:
    request, accept = handshake("127.0.0.1", 8000, "/ws", "pointsman.v1", {"Origin": "https://shop.example"})
    server = ServerProtocol(subprotocols=["pointsman.v1"])  # pyright: ignore[reportArgumentType]
    server.receive_data(request)
    asked = server.events_received()[0]
    assert isinstance(asked, Request)
    assert (asked.path, asked.headers["Origin"]) == ("/ws", "https://shop.example")
    server.send_response(server.accept(asked))
    head = b"".join(server.data_to_send()).removesuffix(b"\r\n\r\n")
    assert accepted(head, accept)
    assert not accepted(head, b"another handshake's")


def test_a_refused_handshake_is_no_success() -> None:
    assert not accepted(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0", b"x")
