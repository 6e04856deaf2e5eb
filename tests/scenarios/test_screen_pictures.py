"""Screen sharing with two real WebRTC stacks that know nothing of each other but what our sockets carry (CO-04)."""

from __future__ import annotations

import pytest

from tests.scenarios import webrtc
from tests.scenarios.house import House
from tests.scenarios.test_screen import Scene

pytestmark = [
    pytest.mark.req("CO-04"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


async def test_the_customers_screen_arrives_at_the_agent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    webrtc.stay_on_this_machine(monkeypatch)
    scene = await Scene.of(house)
    share = await scene.agreed()
    shows, looks = webrtc.Side(scene.cara, share), webrtc.Side(scene.ann, share)
    try:
        await shows.show()
        await looks.connected()
        await shows.connected()

        width, height, colour = await looks.picture()
        assert (width, height) == (webrtc.WIDTH, webrtc.HEIGHT)
        assert all(abs(seen - shown) < 16 for seen, shown in zip(colour, webrtc.COLOUR, strict=True))

        (await looks.channel).send("here")
        assert await shows.said.get() == "here"
        assert shows.numbers == looks.numbers == [1]

        await scene.ann.asks("screen.stop", share_id=share)
        assert await scene.events(scene.cara) == ["screen_started", "screen_stopped"]
    finally:
        await shows.close()
        await looks.close()
