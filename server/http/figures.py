"""What HTTP counts (names are a contract, see docs/operations)."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from protocol.errors import RequestError
from server.http.problems import STATUS


class HttpFigures:
    """`pointsman_http_requests_total{route, status}`, `pointsman_http_request_seconds{route}`,
    `pointsman_http_refusals_total{reason}`, `pointsman_identity_tokens_total{outcome}`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "pointsman_http_requests_total",
            "Requests answered over HTTP.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "pointsman_http_request_seconds",
            "Time to the answer over HTTP.",
            ["route"],
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._refusals = Counter(
            "pointsman_http_refusals_total",
            "Refusals over HTTP by their reason.",
            ["reason"],
            registry=registry,
        )
        self._identity = Counter(
            "pointsman_identity_tokens_total", "Identity tokens by outcome.", ["outcome"], registry=registry
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, error: RequestError) -> int:
        """One request was refused; gives the HTTP status of it."""
        self._refusals.labels(error.reason).inc()
        return STATUS[error.code]

    def identity(self, outcome: str) -> None:
        """An identity token was looked at: `accepted`, or the reason why not."""
        self._identity.labels(outcome).inc()
