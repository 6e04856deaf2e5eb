"""The micro benchmark of the router still measures what it says."""

import argparse
import shutil

import pytest

from loadtest.router_bench import ratio, run


@pytest.mark.req("PF-06")
async def test_a_tiny_run_gives_every_cell_and_ratio(redis_url: str) -> None:
    options = argparse.Namespace(redis=redis_url, rounds=1, calls=256, agents=50, waiting=80)
    found = await run(options)
    assert all(cell["median"] > 0 for cell in found["cells"].values())
    kinds = ["claim", "close", "close and fill, queue", "leave", "queue"]
    assert {f"{kind}, {size}" for kind in kinds for size in ("small", "large")} <= found["cells"].keys()
    against_benchmark = "P4 claims: link / redis-benchmark (goal >= 0.8)" in found["ratios"]
    assert against_benchmark == (shutil.which("redis-benchmark") is not None)


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio({"a": [1.0, 8.0, 9.0], "b": [1.0, 4.0, 3.0]}, "a", "b") == {
        "median": 2.0,
        "least": 1.0,
        "most": 3.0,
    }
