"""Routes for the bytes of files (CO-04), and the shop's setting of what it takes.

The grant in the address is the credential: no cookie and no header says who it is, so any page that holds a grant may
use it, and none that does not. What comes down is never run by a browser: an attachment, of exactly the type that its
bytes are, in a sandbox of its own. Only thumbnails are shown in place: those bytes are ours.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.requests import ClientDisconnect

from protocol.errors import RequestError
from server.http.deps import Deps
from server.http.fields import Closed, View
from server.http.guard import Asking, Given, GuardedRoute
from server.http.problems import Problem, of_request_error, of_status, problem_response
from server.services.file_transfer import BrokenOff, NotThere, Span
from server.services.file_types import MEDIA_TYPES, PLAIN, FileKind

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["files"])

FileId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
Grant = Annotated[str, Query(min_length=1, max_length=2048, description="From `file.upload` or `file.link`.")]

_SAFE = {
    "X-Content-Type-Options": "nosniff",
    # Opened as a page it is an empty origin that may load and run nothing, and no page can put it into a frame.
    "Content-Security-Policy": (
        "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "cross-origin",  # the widget shows pictures in the shop's own pages
    "Cache-Control": "private, max-age=3600, immutable",
    "Referrer-Policy": "no-referrer",
}
DRAIN_BYTES = 1024 * 1024
DRAIN_S = 2.0
"""How much of a refused upload is still read, and for how long."""
_EXPOSED = "Content-Disposition, Content-Range, Accept-Ranges, Content-Length, ETag, Retry-After"
_SPAN = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")
_TOKEN = re.compile(r"[^A-Za-z0-9!#$&+.^_`|~ -]")


class FileView(View):
    """A file that is there now, and may be named in a message."""

    file_id: str
    name: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    """pixels; 0: not an image"""
    thumbnail: bool


class FileSettings(View):
    """What kinds of files people of this shop may send."""

    kinds: list[FileKind]
    rev: int


class FileSettingsBody(Closed):
    """The whole list; it replaces what was there, if `rev` is still the present one."""

    kinds: Annotated[list[Annotated[FileKind, Field(strict=False)]], Field(max_length=len(FileKind))]
    rev: Annotated[int, Field(ge=0, lt=2**53)]


# --- bytes -----------------------------------------------------------------------------------------------------------
@router.options("/files/{file_id}/content", include_in_schema=False)
async def preflight(request: Request, file_id: FileId) -> Response:
    """Browsers ask first. Saying yes gives nothing away: without a grant there is nothing to be had."""
    allowed = {
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "content-type, range, if-range",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers={**allowed, **_cors(request)})


@router.put(
    "/files/{file_id}/content",
    status_code=201,
    response_model=FileView,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes, exactly as many as were announced, of any media type.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def send_file(deps: Given, request: Request, file_id: FileId, grant: Grant) -> Response:
    """Send the bytes of a file for which `file.upload` gave a place. Works once."""
    try:
        file = await deps.file_transfer.receive(grant, file_id, _body(request))
    except RequestError as error:
        return _refused(deps, request, error, await _rest(request))
    except BrokenOff:
        return Response(status_code=400, headers={"Connection": "close"})  # nobody is there to read it
    view = FileView(
        file_id=file.id,
        name=file.name,
        media_type=file.media_type,
        size_bytes=file.size,
        width=file.width,
        height=file.height,
        thumbnail=file.thumbnail,
    )
    return Response(view.model_dump_json(), 201, _cors(request), "application/json")


@router.get("/files/{file_id}/content", response_class=StreamingResponse)
async def fetch_file(deps: Given, request: Request, file_id: FileId, grant: Grant) -> Response:
    """A file to save, or a span of it (`Range: bytes=...`, one span; video players ask so)."""
    span = _span(request.headers.get("range", ""))
    only_if = request.headers.get("if-range")
    try:
        found = await deps.file_transfer.fetch(
            grant, file_id, span, only_if=None if only_if is None else only_if.strip('"')
        )
    except RequestError as error:
        return _refused(deps, request, error)
    except NotThere as error:
        problem = of_status(416, f"The file has {error.size} bytes.", "no_such_span")
        return _problem(request, problem, {"Content-Range": f"bytes */{error.size}"})
    headers = {
        **_SAFE,
        **_cors(request),
        "Content-Disposition": attachment(found.name),
        "Content-Length": str(found.stop - found.start),
        "Accept-Ranges": "bytes",
        "ETag": f'"{found.tag}"',
    }
    if found.partial:
        headers["Content-Range"] = f"bytes {found.start}-{found.stop - 1}/{found.size}"
    # Given as a header: the framework would add a charset to text, and nobody knows which one it is.
    headers["Content-Type"] = found.media_type if found.media_type in MEDIA_TYPES else PLAIN
    return StreamingResponse(found.pieces, 206 if found.partial else 200, headers)


@router.get("/files/{file_id}/thumbnail", response_class=Response)
async def fetch_thumbnail(deps: Given, request: Request, file_id: FileId, grant: Grant) -> Response:
    """The small picture of an image; made by us, so it may be shown in place."""
    try:
        media_type, data = await deps.file_transfer.thumbnail(grant, file_id)
    except RequestError as error:
        return _refused(deps, request, error)
    return Response(
        data, 200, {**_SAFE, **_cors(request), "Content-Disposition": "inline"}, media_type=media_type
    )


# --- settings --------------------------------------------------------------------------------------------------------
@router.get("/settings/files")
async def get_file_settings(deps: Given, caller: Asking) -> FileSettings:
    """The kinds of files that are taken."""
    kinds, rev = await deps.files.kinds(caller.shop_id)
    return FileSettings(kinds=sorted(kinds), rev=rev)


@router.put("/settings/files")
async def put_file_settings(deps: Given, caller: Asking, body: FileSettingsBody) -> FileSettings:
    """Choose the kinds of files that are taken from now on; files that are there stay."""
    rev = await deps.files.set_kinds(caller, frozenset(body.kinds), rev=body.rev)
    return FileSettings(kinds=sorted(set(body.kinds)), rev=rev)


# --- how it is said --------------------------------------------------------------------------------------------------
def attachment(name: str) -> str:
    """A Content-Disposition that saves the file under `name` (RFC 6266): plain for old readers, exact for others."""
    plain = _TOKEN.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except ClientDisconnect:
        raise BrokenOff from None


async def _rest(request: Request) -> dict[str, str]:
    """Before a refusal: read what little is left of the body. Who is still sending when the connection is closed often
    misses the answer. Whoever sends more than that learns it the hard way."""
    left = DRAIN_BYTES
    try:
        async with asyncio.timeout(DRAIN_S):
            async for piece in request.stream():
                left -= len(piece)
                if left < 0:
                    return {"Connection": "close"}
    except (TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: it had been read to its end
        return {"Connection": "close"}
    return {}


def _span(header: str) -> Span | None:
    """The one span asked for; None: all. What is not understood, or is several, is not heeded (RFC 9110, 14.2)."""
    found = _SPAN.fullmatch(header)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    return Span(int(first) if first else None, int(last) if last else None)


def _cors(request: Request) -> dict[str, str]:
    """The page that asks may read the answer."""
    origin = request.headers.get("origin", "")
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }


def _refused(
    deps: Deps, request: Request, error: RequestError, more: dict[str, str] | None = None
) -> Response:
    """A refusal that the page which asked can read."""
    deps.metrics.refused(error)
    return _problem(request, of_request_error(error), more or {})


def _problem(request: Request, problem: Problem, more: dict[str, str]) -> Response:
    return problem_response(problem, {**_cors(request), **more})
