"""The metric names of docs/operations.md are a contract: each is there on a node that did something."""

import re
from pathlib import Path

import httpx
import pytest

from tests.scenarios.house import House

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.mark.req("PF-01")
async def test_every_documented_metric_exists(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    await lily.sees(await ada.opens(), owner=lily.id)
    documented = set(re.findall(r"`(pointsman_[a-z_]+[a-z])", OPERATIONS.read_text(encoding="utf-8")))

    async with httpx.AsyncClient() as http:
        pages = [(await http.get(f"{node.url}/metrics")).text for node in house.nodes]

    shown = set(re.findall(r"^# TYPE (pointsman_[a-z_]+)", "\n".join(pages), re.MULTILINE))
    missing = {name for name in documented if name not in shown and name.removesuffix("_total") not in shown}
    assert documented
    assert missing == set()
