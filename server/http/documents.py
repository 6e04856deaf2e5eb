"""The protocol's own documents, and a page that shows the HTTP routes without anything from elsewhere."""

import base64
import hashlib
from html import escape
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.responses import JSONResponse

from server.http.guard import Given, GuardedRoute

router = APIRouter(route_class=GuardedRoute, tags=["documents"])

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
code{font:14px ui-monospace,monospace}h2{margin-top:2.5rem;border-bottom:1px solid #bbb}
dt{margin-top:1rem}dt b{display:inline-block;min-width:5rem}dd{margin:0 0 0 5rem;color:#444}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}dd{color:#bbb}a{color:#8bf}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
)

JSON_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "The document."}
}


@router.get("/openapi.json", response_class=JSONResponse, responses=JSON_DOCUMENT)
async def openapi(request: Request) -> Response:
    """These routes, as OpenAPI 3.1."""
    return JSONResponse(cast(FastAPI, request.app).openapi())


@router.get("/openrpc.json", response_class=JSONResponse, responses=JSON_DOCUMENT)
async def openrpc(deps: Given) -> Response:
    """The requests of the WebSocket protocol, as OpenRPC."""
    return JSONResponse(deps.openrpc())


@router.get("/asyncapi.json", response_class=JSONResponse, responses=JSON_DOCUMENT)
async def asyncapi(deps: Given) -> Response:
    """The WebSocket protocol with its notifications, as AsyncAPI 3."""
    return JSONResponse(deps.asyncapi())


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """All routes on one page."""
    return HTMLResponse(
        _page(cast(FastAPI, request.app).openapi()), headers={"Content-Security-Policy": _PAGE_POLICY}
    )


def _page(document: dict[str, Any]) -> str:
    chapters: dict[str, list[str]] = {}
    for path, operations in cast("dict[str, dict[str, dict[str, Any]]]", document["paths"]).items():
        for method, operation in operations.items():
            text = (
                f"<dt><b>{method.upper()}</b> <code>{escape(path)}</code></dt>"
                f"<dd>{escape(operation.get('description', ''))}</dd>"
            )
            chapters.setdefault(operation.get("tags", ["other"])[0], []).append(text)
    body = "".join(f"<h2>{escape(name)}</h2><dl>{''.join(lines)}</dl>" for name, lines in chapters.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pointsman HTTP API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        "<h1>Pointsman HTTP API</h1><p>For programs: "
        '<a href="/openapi.json">OpenAPI</a>, <a href="/openrpc.json">OpenRPC</a>, '
        '<a href="/asyncapi.json">AsyncAPI</a>.</p>'
        f"{body}</body></html>"
    )
