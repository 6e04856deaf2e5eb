"""Kinds of load: who comes when, how much they say, what goes wrong on the way. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of load. Shares are probabilities, pauses are seconds (least, most)."""

    name: str
    what: str
    arrive_within: float
    """customers arrive evenly over this share of the run"""
    capacity: int
    """conversations that one agent may hold"""
    messages: tuple[int, int]
    """that a customer sends, the first included"""
    pause_s: tuple[float, float]
    """between a customer's messages"""
    answer: float
    """of a customer's message being answered by the agent"""
    answer_after_s: tuple[float, float]
    transfer: float = 0.0
    """of an answer being a transfer to a colleague instead"""
    drop: float = 0.0
    """of the connection breaking after a message, on either side"""


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "steady",
            "an ordinary hour: customers come one after another, everybody is answered",
            arrive_within=0.6,
            capacity=10,
            messages=(2, 6),
            pause_s=(0.3, 2.0),
            answer=0.9,
            answer_after_s=(0.1, 0.8),
        ),
        Profile(
            "rush",
            "everybody comes at once, to agents who hold three each: queues fill, and drain as conversations end",
            arrive_within=0.05,
            capacity=3,
            messages=(1, 4),
            pause_s=(0.1, 0.6),
            answer=1.0,
            answer_after_s=(0.05, 0.3),
        ),
        Profile(
            "stormy",
            "connections break on both sides, and agents hand conversations over",
            arrive_within=0.5,
            capacity=8,
            messages=(3, 8),
            pause_s=(0.1, 1.0),
            answer=0.9,
            answer_after_s=(0.05, 0.5),
            transfer=0.1,
            drop=0.15,
        ),
    )
}
