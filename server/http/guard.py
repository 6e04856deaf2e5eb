"""The door of every route: who is it, may they, and is the body acceptable; only then is the body read.

Routes are built as `GuardedRoute`s: building one that the table in `rights` does not name fails, so none is forgotten.
"""

import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, cast

import orjson
import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.http.deps import Deps
from server.http.edits import EDITS, named
from server.http.problems import Refusal, of_bug, problem_response
from server.http.rights import RIGHTS, Access
from server.services.callers import Caller
from server.services.revisions import STALE
from server.services.tokens import unauthenticated

log = structlog.get_logger("pointsman.http")

RECORDED = frozenset({ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND})
"""Refusals that go into the audit: somebody tried what they may not, or what is not theirs."""
_MISSING = "Sign in first: Authorization: Bearer <token>."


def deps_of(request: Request) -> Deps:
    """What the application was built with."""
    return cast(Deps, cast(FastAPI, request.app).state.deps)


def caller_of(request: Request) -> Caller:
    """Whom the door let in. Public routes have nobody, and must not ask."""
    return cast(Caller, request.state.caller)


def peer_address(request: Request) -> str:
    """Where a request comes from; behind a proxy the server is told to trust its header."""
    return "" if request.client is None else request.client.host


Given = Annotated[Deps, Depends(deps_of)]
Asking = Annotated[Caller, Depends(caller_of)]


class StrictRequest(Request):
    """Reads JSON strictly (valid UTF-8, no lone surrogates, no NaN), and no more bytes than the server accepts."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces; raises Refusal 413 as soon as it is too large."""
        most = self.state.most_bytes
        announced = self.headers.get("content-length", "0")
        read = int(announced) if announced.isdigit() else 0
        if read > most:
            raise _too_large(most)
        read = 0
        async for piece in super().stream():
            read += len(piece)
            if read > most:
                raise _too_large(most)
            yield piece

    async def json(self) -> Any:
        """The body; raises json.JSONDecodeError."""
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


def _too_large(most: int) -> Refusal:
    return Refusal(413, "body_too_large", f"The body is larger than {most} bytes.")


class GuardedRoute(APIRoute):
    """A route with a right."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the door."""
        (method,) = self.methods or {"?"}
        name = f"{method} {self.path_format}"
        access = RIGHTS[name]  # a KeyError here is a route without a right: decide first who may call it
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            began = time.perf_counter()
            status = 500
            try:
                read = Request if access.own_body else StrictRequest
                request.state.most_bytes = access.body_bytes or deps_of(request).body_bytes
                response = await _answer(read(request.scope, request.receive), name, access, inner)
                status = response.status_code
                return response
            except RequestError as error:
                status = deps_of(request).metrics.refused(error)
                raise
            except RequestValidationError:
                status = 422
                raise
            except HTTPException as error:
                status = error.status_code
                raise
            finally:
                deps_of(request).metrics.answered(name, status, time.perf_counter() - began)

        return handler


async def _answer(
    request: Request,
    name: str,
    access: Access,
    inner: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    acts: AbstractContextManager[None] = nullcontext()
    if not access.public:
        request.state.caller = await _admit(request, name, access)
        acts = deps_of(request).doors.acts(request.state.caller, name, peer_address(request))
    if not access.own_body:
        _check_media_type(request)
    try:
        with acts:
            return await inner(request)
    except RequestError as error:
        if error.code in RECORDED and not access.public:
            await _record(request, name, error)
        if error.reason == STALE and name in EDITS:
            history = deps_of(request).settings_history
            await named(history, caller_of(request).shop_id, EDITS[name], _ids(request), error)
        raise
    except (RequestValidationError, HTTPException):
        raise
    except Exception:
        # A bug: recorded once, here, with where and not with what; the framework would only know that it happened.
        log.exception("http_bug", route=name)
        return problem_response(of_bug())


async def _admit(request: Request, name: str, access: Access) -> Caller:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise unauthenticated("token_missing", _MISSING)
    deps = deps_of(request)
    caller = await deps.authentication.caller(credentials.strip())
    if access.scope in caller.scopes or await deps.doors.caller_may(caller, access.right):
        return caller
    request.state.caller = caller
    right = "" if access.right is None else access.right.value
    error = RequestError(
        ErrorCode.FORBIDDEN,
        "no_right",
        "You may not do this.",
        detail={"right": right, "scope": access.scope},
    )
    await _record(request, name, error)
    raise error


async def _record(request: Request, name: str, error: RequestError) -> None:
    """Into the audit with it (GP-03)."""
    doors = deps_of(request).doors
    await doors.caller_refused(caller_of(request), name, _ids(request), peer_address(request), error)


def _ids(request: Request) -> dict[str, str]:
    """What the path names."""
    return {name: str(value) for name, value in request.path_params.items()}


def _check_media_type(request: Request) -> None:
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    if request.headers.get("content-length") == "0" or not {"content-length", "transfer-encoding"} & set(
        request.headers.keys()
    ):
        return  # no body at all: the shapes say whether one was needed
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "unsupported_media_type", "Send the body as application/json.")
