"""A shop's own site, at another origin than the server: a page that embeds the widget by the documented snippet."""

from __future__ import annotations

import asyncio

from server.embedded.ports import LOOPBACK
from tests.browser.backstage import Backstage

NONCE = "bm9uY2UtbHk"
PAGE = """<!doctype html>
<html lang="zh-CN">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>别家小店</title>
    <link rel="icon" href="data:,">
    {style}
    <script nonce="{nonce}">
      window.pointsman = window.pointsman || function () {{ (pointsman.q = pointsman.q || []).push(arguments); }};
      pointsman("boot", {{ {options} }});
      window.told = [];
      for (const name of ["ready", "opened", "closed", "unread", "message", "error"])
        pointsman("on", name, (value) => told.push([name, value]));
      window.keys = [];
      document.addEventListener("keydown", (event) => keys.push(event.key));
    </script>
    <script nonce="{nonce}" async src="{server}/widget/loader.js"></script>
  </head>
  <body>
    <main>
      <h1>别家小店</h1>
      <p>手冲细口壶，168 元</p>
      <button type="button">加入购物车</button>
    </main>
  </body>
</html>
"""


class HostPage:
    """One page, at `address`."""

    def __init__(self, body: bytes, policy: str) -> None:
        self._body = body
        self._policy = policy
        self._server: asyncio.Server

    @classmethod
    def serve(
        cls,
        backstage: Backstage,
        server: str,
        *,
        options: str = 'shop: "demo", language: "zh-CN"',
        policy: str = "",
        style: str = "",
    ) -> HostPage:
        """`server`: where the widget comes from. `policy`: the page's Content-Security-Policy; a page that has one also
        takes in nothing that does not say that it may be (COEP)."""
        sheet = f'<style nonce="{NONCE}">{style}</style>' if style else ""
        body = PAGE.format(server=server, options=options, style=sheet, nonce=NONCE)
        page = cls(body.encode(), policy)
        backstage.do(page._listen())
        return page

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._answer, LOOPBACK, 0)

    @property
    def address(self) -> str:
        """The page's origin."""
        return f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    def close(self, backstage: Backstage) -> None:
        """It is gone."""
        backstage.do(self._closed())

    async def _closed(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = [
            "HTTP/1.1 200 OK",
            "Content-Type: text/html; charset=utf-8",
            f"Content-Length: {len(self._body)}",
            "Connection: close",
        ]
        if self._policy:
            head.append(f"Content-Security-Policy: {self._policy}")
            head.append("Cross-Origin-Embedder-Policy: require-corp")
        writer.write("\r\n".join([*head, "", ""]).encode() + self._body)
        await writer.drain()
        writer.close()
