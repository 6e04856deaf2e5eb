"""Token buckets: how often is too often."""

from server.limits import Rate


class Bucket:
    """A token bucket of one connection. Time is the caller's (seconds, monotonic)."""

    __slots__ = ("_at", "_tokens", "rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float) -> int:
        """0: taken. Else nothing is taken, and this is how many milliseconds to wait for the next token."""
        tokens = min(self._tokens + (now - self._at) * self.rate.per_s, float(self.rate.burst))
        self._at = now
        if tokens >= 1.0:
            self._tokens = tokens - 1.0
            return 0
        self._tokens = tokens
        return max(1, int((1.0 - tokens) / self.rate.per_s * 1000) + 1)

    def full(self, now: float) -> bool:
        """Whether a fresh bucket would be the same."""
        return self._tokens + (now - self._at) * self.rate.per_s >= self.rate.burst


class Addresses:
    """One bucket per client address, forgotten when full again: an address that stays away costs nothing."""

    __slots__ = ("_buckets", "_rate", "_sweep_at")

    SWEEP_S = 10.0

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: dict[str, Bucket] = {}
        self._sweep_at = 0.0

    def take(self, address: str, now: float) -> int:
        """As `Bucket.take`, for that address."""
        if now >= self._sweep_at:
            self._sweep_at = now + self.SWEEP_S
            self._buckets = {key: kept for key, kept in self._buckets.items() if not kept.full(now)}
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(self._rate, now)
        return bucket.take(now)
