"""Settings of the running shop that hold for one test, and are put back after it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from server.chat.door import Door
from server.demo import seed
from tests.browser.running_shop import RunningShop


@contextmanager
def routing(shop: RunningShop, **changed: Any) -> Generator[None, None, None]:
    """With other routing settings: names as the policy has them; of a part, what is named changes."""
    before = shop.backstage.do(_put_routing(shop, changed))
    try:
        yield
    finally:
        shop.backstage.do(_put_routing(shop, before))


async def _put_routing(shop: RunningShop, changed: dict[str, Any]) -> dict[str, Any]:
    """What these settings were."""
    path = "/v1/settings/routing"
    async with Door(shop.a) as door:
        owner = await door.sign_in(seed.SHOP, seed.OWNER.email, seed.PASSWORD)
        current = await door.ask("GET", path, token=owner.access_token)
        policy: dict[str, Any] = current["policy"]
        wanted = {name: _over(policy[name], value) for name, value in changed.items()}
        body = {"rev": current["rev"], "policy": {**policy, **wanted}, "note": ""}
        await door.ask("PUT", path, body, token=owner.access_token)
        return {name: policy[name] for name in changed}


def _over(before: Any, value: Any) -> Any:
    return {**before, **value} if isinstance(before, dict) else value
