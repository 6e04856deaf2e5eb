"""A WebSocket client made by hand, for what no library would do."""

import asyncio
import struct

import orjson

from tests.server.gateway.house import ORIGIN, UPGRADE, House


class Raw:
    """A WebSocket by hand: reads only when told to, and sends any bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def begin(cls, house: House, headers: str) -> "Raw":
        """Send a whole handshake and read nothing."""
        # A small window: what the kernel takes on top of it is the server's SO_SNDBUF.
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=4 * 1024)
        house.raws.append(writer)
        writer.write((UPGRADE + headers + "\r\n").encode())
        return cls(reader, writer)

    @classmethod
    async def open(cls, house: House, ticket: str) -> "Raw":
        """Connected and greeted; the answers lie unread."""
        raw = await cls.begin(house, f"Origin: {ORIGIN}\r\n")
        await raw.reader.readuntil(b"\r\n\r\n")
        hello = {"jsonrpc": "2.0", "id": 1, "method": "session.hello", "params": {"ticket": ticket}}
        raw.frame(1, orjson.dumps(hello))
        await house.until(lambda: house.count(ticket) == 1)
        return raw

    def frame(self, opcode: int, data: bytes, *, fin: bool = True) -> None:
        size = len(data)
        head = bytes([(0x80 if fin else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack("!BH", 0x80 | 126, size)
        else:
            head += struct.pack("!BQ", 0x80 | 127, size)
        self.writer.write(head + b"\0\0\0\0" + data)

    async def close_code(self, within_s: float = 5.0) -> int:
        """Read to the end; the code of the close frame, 1006 without one."""
        data = b""
        async with asyncio.timeout(within_s):
            try:
                while part := await self.reader.read(65536):
                    data += part
            except ConnectionError:
                pass
        self.writer.transport.abort()
        at = 0
        while at + 2 <= len(data):
            size = data[at + 1] & 0x7F
            start = at + 2
            if size == 126:
                size, start = struct.unpack_from("!H", data, at + 2)[0], at + 4
            elif size == 127:
                size, start = struct.unpack_from("!Q", data, at + 2)[0], at + 10
            if data[at] & 0xF == 8:
                return struct.unpack_from("!H", data, start)[0]
            at = start + size
        return 1006
