"""Every refusal over HTTP is a problem document (RFC 9457, `application/problem+json`), whoever raised it.

`code` and `reason` are those of the wire (`protocol.codes`), so one table of words serves both.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Route

from protocol.codes import ErrorCode
from protocol.errors import RequestError

log = structlog.get_logger("pointsman.http")

PROBLEM_JSON = "application/problem+json"

STATUS: dict[ErrorCode, int] = {
    ErrorCode.PARSE_ERROR: 400,
    ErrorCode.INVALID_REQUEST: 400,
    ErrorCode.METHOD_NOT_FOUND: 404,
    ErrorCode.INVALID_PARAMS: 422,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.STALE_ASSIGNMENT: 409,
    ErrorCode.INVALID_STATE: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.COMMIT_UNKNOWN: 503,
}
"""Code of the wire -> HTTP status."""

_BY_STATUS: dict[int, tuple[ErrorCode, str]] = {
    400: (ErrorCode.INVALID_REQUEST, "bad_request"),
    401: (ErrorCode.UNAUTHENTICATED, "unauthenticated"),
    403: (ErrorCode.FORBIDDEN, "forbidden"),
    404: (ErrorCode.NOT_FOUND, "not_found"),
    405: (ErrorCode.METHOD_NOT_FOUND, "method_not_allowed"),
    406: (ErrorCode.INVALID_REQUEST, "not_acceptable"),
    412: (ErrorCode.CONFLICT, "precondition_failed"),
    413: (ErrorCode.INVALID_REQUEST, "too_large"),
    415: (ErrorCode.INVALID_REQUEST, "unsupported_media_type"),
}


class FieldFault(BaseModel):
    """One thing wrong with the request."""

    field: str = Field(description="Where: a dotted path, beginning with body, query, path or header.")
    problem: str = Field(description="What is wrong, in words for people.")
    line: int | None = Field(default=None, description="The line of a file, counted from 1.")


class Meanwhile(BaseModel):
    """Who was faster, and when: the last change of what somebody wanted to change from an older revision."""

    by: str = Field(description="Their name as it was then; empty: the server itself.")
    by_id: str
    at: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="`urn:pointsman:problem:<reason>`: stable, for programs.")
    title: str = Field(description="The HTTP status in words.")
    status: int
    detail: str = Field(description="What happened and what to do, in words for people.")
    code: int = Field(description="The same refusal's code on the wire.")
    reason: str = Field(description="A stable snake_case word, for programs and translation.")
    retryable: bool = Field(default=False, description="The same request may succeed later, unchanged.")
    retry_after_ms: int | None = Field(default=None, description="When to try again.")
    errors: list[FieldFault] = Field(
        default=[], description="Everything wrong with the request, field by field."
    )
    meanwhile: Meanwhile | None = Field(
        default=None, description="With `stale_rev`: who changed it since it was read."
    )


class Refusal(HTTPException):
    """A refusal that only HTTP has (such as 412 or 415), with its own reason."""

    def __init__(
        self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.reason = reason


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The document with the headers that its status demands."""
    extra = dict(headers or {})
    if problem.retry_after_ms is not None:
        extra["Retry-After"] = str(max(1, -(-problem.retry_after_ms // 1000)))
    if problem.status == 401:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="pointsman"')
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, problem.status, extra, PROBLEM_JSON)


def of_request_error(error: RequestError) -> Problem:
    """The document of a refusal by a service."""
    status = STATUS[error.code]
    return Problem(
        type=f"urn:pointsman:problem:{error.reason}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        code=error.code,
        reason=error.reason,
        retryable=error.retryable,
        retry_after_ms=error.retry_after_ms,
        errors=_field_faults(error.detail) if error.code is ErrorCode.INVALID_PARAMS else [],
        meanwhile=_meanwhile(error.detail),
    )


def of_status(status: int, detail: str, reason: str = "") -> Problem:
    """The document of a refusal by the framework."""
    code, word = _BY_STATUS.get(status, (ErrorCode.INVALID_REQUEST, "refused"))
    return Problem(
        type=f"urn:pointsman:problem:{reason or word}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        reason=reason or word,
    )


def of_bug() -> Problem:
    """The document of our own fault: says nothing about it, the log does."""
    return Problem(
        type="urn:pointsman:problem:internal_error",
        title=HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
        status=500,
        detail="Something went wrong on the server; it has been recorded.",
        code=ErrorCode.INTERNAL_ERROR,
        reason="internal_error",
    )


def _field_faults(detail: Any) -> list[FieldFault]:
    """With INVALID_PARAMS the detail is a list of `{field, problem}`, or nothing."""
    if not isinstance(detail, list):
        return []
    return [FieldFault.model_validate(item) for item in cast("list[Any]", detail)]


def _meanwhile(detail: Any) -> Meanwhile | None:
    """Who was faster, where `edits.named` said so."""
    return cast("dict[str, Any]", detail).get("meanwhile") if isinstance(detail, dict) else None


def _allowed(request: Request) -> str:
    """Every method that the path knows: each of our routes carries one, and the framework names only the first."""
    methods: set[str] = set()
    for route in cast(FastAPI, request.app).routes:
        if isinstance(route, Route) and route.path_regex.match(request.url.path):
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def install(app: FastAPI) -> None:
    """Make every refusal of `app` a problem document."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestError)
        return problem_response(of_request_error(error))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return problem_response(of_status(400, "The body is not valid JSON.", "json_invalid"))
        problem = Problem(
            type="urn:pointsman:problem:invalid",
            title=HTTPStatus(422).phrase,
            status=422,
            detail="Some fields are not as they must be; see errors.",
            code=ErrorCode.INVALID_PARAMS,
            reason="invalid",
            errors=[
                FieldFault(
                    field=".".join(str(part) for part in fault["loc"]),
                    problem=fault["msg"].removeprefix("Value error, "),
                )
                for fault in faults
            ],
        )
        return problem_response(problem)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = _allowed(request)
        reason = error.reason if isinstance(error, Refusal) else ""
        detail = _DETAIL.get(error.status_code, str(error.detail)) if not reason else str(error.detail)
        return problem_response(of_status(error.status_code, detail, reason), headers)

    async def bug(request: Request, error: Exception) -> Response:
        return problem_response(of_bug())

    app.add_exception_handler(RequestError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, bug)


_DETAIL = {
    404: "There is nothing at this address.",
    405: "This address does not know that method; see the Allow header.",
}

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in {
        400: "The body is not valid JSON.",
        401: "Not signed in, or no longer.",
        403: "Your role does not allow this.",
        404: "There is no such thing here.",
        409: "It is not in a state for this, or somebody else was faster.",
        413: "The body is too large.",
        415: "The body is not JSON.",
        422: "Some fields are not as they must be.",
        429: "Too many requests; see Retry-After.",
        503: "Not at this moment; see Retry-After.",
    }.items()
}
"""What every route may answer besides success, for the OpenAPI document."""
