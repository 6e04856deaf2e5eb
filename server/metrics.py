"""What the gateway counts. Plain integers on the hot path; prometheus-client reads them when it is asked.

The metric names are a contract (operators' dashboards); the attribute names are not.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency buckets."""


class Latency:
    """A histogram of seconds."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        """One observation."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus wants them."""
        rows: list[tuple[str, float]] = []
        sum_ = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            sum_ += count
            rows.append((bound, float(sum_)))
        return rows


class GatewayMetrics:
    """Counters of one gateway process, since start."""

    __slots__ = (
        "closed", "frames_in", "frames_out", "handshakes", "heartbeats", "lagging", "latency",
        "pushes_dropped", "refused", "requests", "resets", "sessions",
    )  # fmt: skip

    def __init__(self) -> None:
        self.handshakes: Counter[str] = Counter()
        """by outcome: accepted, or the reason for the refusal"""
        self.sessions: Counter[str] = Counter()
        """sessions begun: new, resumed"""
        self.closed: Counter[int] = Counter()
        """connections ended, by close code"""
        self.requests: Counter[tuple[str, str]] = Counter()
        """(method, outcome); outcome is `ok` or the name of the error code in lower case"""
        self.latency: dict[str, Latency] = {}
        """by method"""
        self.refused: Counter[str] = Counter()
        """frames that reached no handler: codec, rate, role, no_session"""
        self.frames_in = 0
        self.frames_out = 0
        self.heartbeats = 0
        self.pushes_dropped = 0
        self.lagging = 0
        self.resets = 0

    def answered(self, method: str, outcome: str, seconds: float) -> None:
        """A request was answered."""
        self.requests[method, outcome] += 1
        latency = self.latency.get(method)
        if latency is None:
            latency = self.latency[method] = Latency()
        latency.add(seconds)


class GatewayCollector(Collector):
    """Shows `GatewayMetrics` and some gauges to prometheus-client; register it once per registry."""

    def __init__(self, metrics: GatewayMetrics, gauges: dict[str, tuple[str, Callable[[], float]]]) -> None:
        """`gauges`: metric name without prefix -> (help, reader)."""
        self._metrics = metrics
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        """One pass over the plain counters."""
        metrics = self._metrics
        for name, (words, read) in self._gauges.items():
            yield GaugeMetricFamily(f"pointsman_{name}", words, value=read())
        for name, words, value in (
            ("frames_in", "Text frames received.", metrics.frames_in),
            ("frames_out", "Text frames sent.", metrics.frames_out),
            ("heartbeats_out", "Heartbeats sent.", metrics.heartbeats),
            ("pushes_dropped", "Ephemeral pushes dropped from a full send queue.", metrics.pushes_dropped),
            ("sessions_lagging", "Sessions that became lagging.", metrics.lagging),
            ("streams_reset", "stream.reset sent after lagging.", metrics.resets),
        ):
            yield CounterMetricFamily(f"pointsman_{name}", words, value=value)
        yield _counted("handshakes", "WebSocket handshakes.", "outcome", metrics.handshakes)
        yield _counted("sessions", "Sessions begun.", "kind", metrics.sessions)
        yield _counted("frames_refused", "Frames that reached no handler.", "why", metrics.refused)
        yield _counted("connections_closed", "Connections ended.", "code", metrics.closed)
        requests = CounterMetricFamily(
            "pointsman_requests", "Requests answered.", labels=("method", "outcome")
        )
        for (method, outcome), count in metrics.requests.items():
            requests.add_metric((method, outcome), count)
        yield requests
        seconds = HistogramMetricFamily("pointsman_request_seconds", "Time to answer.", labels=("method",))
        for method, latency in metrics.latency.items():
            seconds.add_metric((method,), latency.buckets(), latency.total_s)
        yield seconds


def _counted(name: str, words: str, label: str, counts: Counter[str] | Counter[int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"pointsman_{name}", words, labels=(label,))
    for value, count in counts.items():
        family.add_metric((str(value),), count)
    return family
