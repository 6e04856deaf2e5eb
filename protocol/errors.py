"""The exception tree of the wire.

    PointsmanError
    ├── RequestError        answers one request; the socket stays open
    └── ConnectionClosed    the socket ended; `code` says whether to come back

Refusals are raised as `RequestError` with an `ErrorCode`; anything else that reaches the dispatcher is a bug.
"""

from typing import Any

from protocol.codes import ErrorCode

RETRYABLE = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.COMMIT_UNKNOWN})
"""Codes whose request may be repeated unchanged."""


class PointsmanError(Exception):
    """Everything that this protocol can raise."""


class RequestError(PointsmanError):
    """A refused request.

    `reason` is a stable snake_case word for programs, `message` a sentence for people that says what to do,
    `detail` further JSON facts (for -32602: a list of `{field, problem}`).
    """

    def __init__(
        self,
        code: ErrorCode,
        reason: str,
        message: str,
        *,
        retry_after_ms: int | None = None,
        detail: Any = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retryable = code in RETRYABLE
        self.retry_after_ms = retry_after_ms
        self.detail = detail

    def data(self) -> dict[str, Any]:
        """The `data` member of the error object."""
        data: dict[str, Any] = {"reason": self.reason, "retryable": self.retryable}
        if self.retry_after_ms is not None:
            data["retry_after_ms"] = self.retry_after_ms
        if self.detail is not None:
            data["detail"] = self.detail
        return data


class ConnectionClosed(PointsmanError):
    """The socket ended with `code` (a `CloseCode`, or one of RFC 6455) and the peer's words."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


def not_found(noun: str) -> RequestError:
    """The one answer for what does not exist and for what is another shop's."""
    return RequestError(
        ErrorCode.NOT_FOUND, f"{noun}_not_found", f"There is no such {noun.replace('_', ' ')} here."
    )


def forbidden(what: str) -> RequestError:
    """The caller's role does not allow this."""
    return RequestError(ErrorCode.FORBIDDEN, "forbidden", f"Your role does not allow you to {what}.")


def invalid_state(reason: str, message: str) -> RequestError:
    """The request makes sense, but not in the state the thing is in now."""
    return RequestError(ErrorCode.INVALID_STATE, reason, message)
