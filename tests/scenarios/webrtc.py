"""A side of a screen share with a real WebRTC stack, which negotiates through Pointsman's sockets and nothing else."""

import asyncio
from fractions import Fraction
from typing import Any

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from protocol.events import ScreenSignalled
from tests.scenarios.house import Person

WIDTH, HEIGHT = 320, 240
COLOUR = (90, 200, 60)
"""What the screen shows: its brightness and the two differences of colour (YUV)."""


def stay_on_this_machine(monkeypatch: Any) -> None:
    """Let WebRTC's candidates be loopback addresses: nothing leaves the machine."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


class ScreenTrack(MediaStreamTrack):
    """A synthetic screen: one colour, 15 pictures a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._n = 0

    async def recv(self) -> VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        await asyncio.sleep(1 / 15)
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, value in zip(frame.planes, COLOUR, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = self._n * 6000, Fraction(1, 90_000)
        self._n += 1
        return frame


class Side:
    """One side: a person, their share and their peer connection."""

    def __init__(self, person: Person, share_id: str) -> None:
        self.person = person
        self.share_id = share_id
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.numbers: list[int] = []
        """of the signals that came"""
        self.track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.channel: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.peer.on("track", self.track.set_result)
        self.peer.on("datachannel", self._channel)
        self._heard = person.client.subscribe()
        self._listening = asyncio.create_task(self._listen())

    async def show(self) -> RTCDataChannel:
        """Offer the screen, and a channel beside it."""
        channel = self.peer.createDataChannel("pointer")
        channel.on("message", self.said.put_nowait)
        self.peer.addTrack(ScreenTrack())
        await self.peer.setLocalDescription(await self.peer.createOffer())
        await self._signal("offer", self._description())
        return channel

    async def connected(self, within_s: float = 20.0) -> None:
        """Wait until media can flow."""
        async with asyncio.timeout(within_s):
            while self.peer.connectionState != "connected":
                await asyncio.sleep(0.02)

    async def picture(self, within_s: float = 20.0) -> tuple[int, int, tuple[int, int, int]]:
        """Width, height and colour in the middle of the next picture decoded."""
        async with asyncio.timeout(within_s):
            frame = await (await self.track).recv()
        assert isinstance(frame, VideoFrame)
        brightness, blue, red = (bytes(plane)[plane.buffer_size // 2] for plane in frame.planes)
        return frame.width, frame.height, (brightness, blue, red)

    async def close(self) -> None:
        """The end of it."""
        self._heard.close()
        await self._listening
        await self.peer.close()

    def _channel(self, channel: RTCDataChannel) -> None:
        channel.on("message", self.said.put_nowait)
        self.channel.set_result(channel)

    async def _listen(self) -> None:
        async for frame in self._heard:
            signal = frame.params
            if not isinstance(signal, ScreenSignalled) or signal.share_id != self.share_id:
                continue
            self.numbers.append(signal.n)
            if signal.kind in ("offer", "answer"):
                await self.peer.setRemoteDescription(RTCSessionDescription(**signal.data))
            if signal.kind == "offer":
                await self.peer.setLocalDescription(await self.peer.createAnswer())
                await self._signal("answer", self._description())

    async def _signal(self, kind: str, data: dict[str, Any]) -> None:
        await self.person.asks("screen.signal", share_id=self.share_id, kind=kind, data=data)

    def _description(self) -> dict[str, Any]:
        return {"type": self.peer.localDescription.type, "sdp": self.peer.localDescription.sdp}
