"""The checker is proven: a sound build is not accused, and every broken one is caught."""

from __future__ import annotations

import pytest

from loadtest import proof


@pytest.mark.timeout(300)
@pytest.mark.req("PF-05")
async def test_every_broken_build_is_caught_and_the_sound_one_is_not() -> None:
    outcome = await proof.run(1, 7, lambda _: None)
    assert {trial.build.name: trial.as_it_should for trial in outcome.trials} == {
        "sound": True,
        "drops deliveries": True,
        "skips the fence": True,
        "repeats a script": True,
    }, outcome.text()
