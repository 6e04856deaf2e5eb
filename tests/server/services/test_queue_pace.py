"""An estimate is said when there is a basis for it, and never sounds more exact than it is."""

import pytest

from server.services.queue_pace import LEAST, estimate_s


@pytest.mark.req("KS-22")
def test_too_few_say_nothing() -> None:
    assert estimate_s(1, [60_000] * (LEAST - 1)) is None
    assert estimate_s(1, [60_000] * LEAST) == 60


@pytest.mark.req("KS-22")
def test_it_grows_with_the_place_and_is_rounded_up() -> None:
    heads = [70_000] * LEAST
    assert [estimate_s(place, heads) for place in (1, 2, 3, 5)] == [120, 180, 300, 600]


@pytest.mark.req("KS-22")
def test_one_long_talk_is_no_rule() -> None:
    assert estimate_s(1, [50_000, 40_000, 3_000_000, 45_000, 55_000]) == 60


@pytest.mark.req("KS-22")
def test_beyond_an_hour_nobody_knows() -> None:
    assert estimate_s(40, [100_000] * LEAST) is None
