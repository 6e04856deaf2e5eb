"""A TCP proxy that can swallow what the server answers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit


class TcpProxy:
    """Passes bytes on, until told otherwise: then it drops the server's next answer and cuts the connection."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._cut_next_answer = False
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self.answers_dropped = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._target.netloc.rpartition("@")
        return self._target._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()

    def drop_next_answer(self) -> None:
        self._cut_next_answer = True

    async def aclose(self) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        for pump in (
            self._requests(reader, server_writer, writer),
            self._answers(server_reader, writer, server_writer),
        ):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _requests(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
        except ConnectionError:
            pass
        finally:
            sink.close()
            back.close()

    async def _answers(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, forth: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(65536):
                if self._cut_next_answer:
                    # PostgreSQL sends the answer of an implicit transaction after its COMMIT.
                    self._cut_next_answer = False
                    self.answers_dropped += 1
                    sink.transport.abort()
                    return
                sink.write(data)
        except ConnectionError:
            pass
        finally:
            sink.close()
            forth.close()
