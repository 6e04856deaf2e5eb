"""What idle sockets cost: what is said of it, and that a small run lets in whom it counts."""

from __future__ import annotations

import pytest

from loadtest import idle
from loadtest.idle import Report, Sitting

MACHINE = {
    "cores": 2, "processor": "?", "memory_gib": 1, "kernel": "?", "python": "?", "node": "", "load_before": 0,
}  # fmt: skip


def test_memory_is_told_against_the_peer() -> None:
    ours, peer = Sitting(5000, 8.0, 0.5, 1.0, 2.0), Sitting(5000, 16.0, 0.0, 0.3, 1.0)
    report = Report(MACHINE, ours, peer)
    assert report.document()["P6"] == 0.5
    assert "P6: 0.50 of the peer's bare socket, goal <= 0.8: met" in report.text()
    assert ours.per_gib == 131_072


def test_a_missing_peer_is_said_to_be_missing() -> None:
    report = Report(MACHINE, Sitting(10, 8.0, 0.5, 1.0, 2.0), None, "node and npm are not installed here")
    assert "no peer: node and npm are not installed here" in report.text()
    assert report.document()["P6"] is None


@pytest.mark.timeout(180)
async def test_a_small_run_lets_everybody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "STAY_S", 1.0)
    report = await idle.run(40, lambda _: None)
    assert report.ours.sockets == 40
    assert report.ours.come_ms_each > 0
