"""What a run amounts to while it goes on: counts, and latencies of this moment and of the whole run."""

from dataclasses import dataclass, field

from loadtest.figures import percentile


@dataclass(slots=True)
class Series:
    """Seconds that something took: of the whole run, and since the last look."""

    all: list[float] = field(default_factory=list[float])
    _seen: int = 0

    def add(self, seconds: float) -> None:
        """One more."""
        self.all.append(seconds)

    def lately(self) -> list[float]:
        """Since this was asked last."""
        since, self._seen = self.all[self._seen :], len(self.all)
        return since

    def summary(self) -> dict[str, float]:
        """p50, p90, p99 and the longest, in milliseconds; empty when there was none."""
        if not self.all:
            return {}
        shares = {f"p{share}": percentile(self.all, share / 100) * 1000 for share in (50, 90, 99)}
        return {**shares, "max": max(self.all) * 1000}


@dataclass(slots=True)
class Book:
    """Shared by everybody of a run."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    sends: Series = field(default_factory=Series)
    """from sending to the acknowledgement, repeats included"""
    opens: Series = field(default_factory=Series)
    """of a customer, from asking for service to knowing that it was heard and who has it"""
    waits: Series = field(default_factory=Series)
    """of a customer, from the first message to having an agent"""
    slow_sends: Series = field(default_factory=Series)
    """the same, of customers whose network is slow"""
    resumes: Series = field(default_factory=Series)
    """from losing a connection to having a live one again"""

    def count(self, what: str, many: int = 1) -> None:
        """So many more of these."""
        self.counts[what] = self.counts.get(what, 0) + many

    def of(self, what: str) -> int:
        """How many."""
        return self.counts.get(what, 0)

    def latencies(self) -> dict[str, dict[str, float]]:
        """Every series that has anything, by what people call it."""
        named = {
            "send to acknowledgement": self.sends,
            "the same, slow network": self.slow_sends,
            "asking for service": self.opens,
            "wait for an agent": self.waits,
            "back after a lost connection": self.resumes,
        }
        found = {what: series.summary() for what, series in named.items()}
        return {what: summary for what, summary in found.items() if summary}
