"""Sitters in a process of their own: they come, are cut off, and all come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.children import ChildFailed
from loadtest.faults.hall import Hall
from loadtest.stage import Stage


@pytest.mark.req("PF-04")
@pytest.mark.timeout(120)
async def test_everybody_who_was_cut_off_comes_back(tmp_path: Path) -> None:
    async with await Stage.open(tmp_path) as stage:
        door = await stage.door("storm")
        hall = await Hall.open(tmp_path, door.port, stage.shops[0].slug)
        await hall.come(12, seed=1)
        assert sum([(await node.metrics())["pointsman_sockets"] for node in stage.nodes]) == 12
        assert await door.reset() >= 12
        back = await hall.back(within_s=30)
        assert back.tries >= 12
        assert 0 < back.p50_s <= back.p99_s <= back.all_s
        await hall.close()


async def test_a_shop_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    async with await Stage.open(tmp_path, nodes=1) as stage:
        hall = await Hall.open(tmp_path, stage.port, "no-such-shop")
        with pytest.raises(ChildFailed, match="404"):
            await hall.come(1, seed=1)
        await hall.close()
