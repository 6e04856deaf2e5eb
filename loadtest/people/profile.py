"""Kinds of load: how many, who comes when, how much they say, what goes wrong on the way. Pure data."""

from dataclasses import dataclass

Span = tuple[float, float]
"""Seconds, least and most."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of load. Shares are probabilities."""

    name: str
    what: str
    customers: int
    """at the same time, when all have come"""
    agents: int
    capacity: int
    """conversations that one agent may hold"""
    arrive_within: float
    """customers arrive over this share of the run"""
    messages: tuple[int, int]
    """that a customer sends in a visit, the first included"""
    pause_s: Span
    """between a customer's messages"""
    away_s: Span
    """between a customer's visits"""
    answer: float
    """of a customer's message being answered by the agent"""
    answer_after_s: Span
    supervisors: int = 1
    bot: bool = False
    """a bot speaks first, and hands over"""
    transfer: float = 0.0
    """of an answer being a transfer to a colleague instead"""
    note: float = 0.0
    """of an answer being followed by a note for colleagues"""
    recall: float = 0.0
    """of an agent's answer being taken back"""
    read: float = 0.0
    """of a delivery being marked as read"""
    typing: float = 0.0
    """of saying that one types, before one says something"""
    drop: float = 0.0
    """of the connection breaking after a message, on either side"""
    slow: float = 0.0
    """share of the customers whose network is slow"""
    slow_bytes_per_s: float = 3_000.0
    """that such a network brings them"""
    storm_every_s: float = 0.0
    """so often everybody's connection breaks at once; 0: never"""
    waves: int = 1
    """customers arrive in so many bursts"""


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "steady",
            "an ordinary day: customers come one after another and come back, nearly everybody is answered",
            customers=60,
            agents=8,
            capacity=10,
            arrive_within=0.4,
            messages=(3, 10),
            pause_s=(0.3, 2.0),
            away_s=(0.5, 5.0),
            answer=0.9,
            answer_after_s=(0.1, 0.8),
            bot=True,
            transfer=0.03,
            note=0.03,
            recall=0.01,
            read=0.3,
            typing=0.2,
        ),
        Profile(
            "morning",
            "morning flood: everybody of the night comes in the first minutes, queues fill and drain",
            customers=120,
            agents=8,
            capacity=5,
            arrive_within=0.1,
            messages=(2, 5),
            pause_s=(0.1, 0.8),
            away_s=(5.0, 20.0),
            answer=1.0,
            answer_after_s=(0.05, 0.4),
            typing=0.1,
            read=0.2,
        ),
        Profile(
            "promotion",
            "promotion peak: three bursts of short questions, agents at their limit, handing over",
            customers=200,
            agents=12,
            capacity=12,
            arrive_within=0.7,
            messages=(2, 4),
            pause_s=(0.05, 0.4),
            away_s=(0.2, 2.0),
            answer=0.8,
            answer_after_s=(0.02, 0.2),
            bot=True,
            transfer=0.08,
            waves=3,
        ),
        Profile(
            "storm",
            "reconnect storm: every few seconds all connections break at once, and single ones in between",
            customers=100,
            agents=8,
            capacity=15,
            arrive_within=0.3,
            messages=(5, 15),
            pause_s=(0.1, 1.0),
            away_s=(0.2, 2.0),
            answer=0.9,
            answer_after_s=(0.05, 0.5),
            transfer=0.05,
            drop=0.02,
            storm_every_s=8.0,
        ),
        Profile(
            "slow",
            "slow clients: a third of the customers read through a thin line, others must not notice",
            customers=60,
            agents=8,
            capacity=10,
            arrive_within=0.3,
            messages=(4, 12),
            pause_s=(0.1, 1.0),
            away_s=(0.2, 2.0),
            answer=1.0,
            answer_after_s=(0.05, 0.5),
            slow=0.33,
        ),
        Profile(
            "chaos",
            "for faults: busy talk, cheap to play, with everything that people do in it",
            customers=60,
            agents=8,
            capacity=12,
            arrive_within=0.0,
            messages=(12, 36),
            pause_s=(0.02, 0.25),
            away_s=(0.05, 0.5),
            answer=0.7,
            answer_after_s=(0.02, 0.2),
            transfer=0.03,
            note=0.02,
            recall=0.005,
            read=0.05,
        ),
    )
}
