"""The pages that browsers load: the desk, the widget's scripts, and in demo mode a shop to try them in.

They are built from `web/` into `server/pages/` and are not in the repository; without them every page says how to build
them. Each carries a strict Content-Security-Policy: no script but ours, none written into a page.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

FOLDER: Final = Path(__file__).resolve().parent.parent / "pages"
HASHED: Final = re.compile(r"-[A-Za-z0-9_-]{8}\.\w+$")
"""A name that the build made from the content: it never changes its meaning."""
INDEX: Final = "index.html"
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK: Final = "no-cache"
"""Kept, but asked for each time: an unchanged file is answered with 304."""
NOT_BUILT: Final = "This page is not built yet. Run `make web` in the checkout, then load it again.\n"
CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""Content codings that the build packs files in (`web/pack.mjs`), the best first, and how it names what it packed."""
PACKED: Final = frozenset({".js", ".css", ".html", ".svg", ".json"})
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}){0,4}")
"""What a file of ours may be called: nothing that leads out of the folder, nothing hidden."""
_INLINE: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)

DESK_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; frame-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
"""Styles may be inline: the component library sets them on elements. `connect-src 'self'` covers the WebSocket. The
only frame is the widget's preview."""
PREVIEW_POLICY: Final = (
    "default-src 'none'; script-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""For the desk alone to frame; it can connect to nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """One folder of pages under a path."""

    path: str
    folder: str
    policy: str
    single: bool = False
    """addresses within it that are no file are the page's own: it reads them itself"""
    anywhere: bool = False
    """pages of other origins may load it"""


# What lies within another one stands before it.
SITES: Final = (
    Site("/desk", "desk", DESK_POLICY, single=True),
    Site("/widget/preview", "widget/preview", PREVIEW_POLICY),
    Site("/widget", "widget", "default-src 'none'; frame-ancestors 'none'", anywhere=True),
)
SHOP: Final = Site("/shop", "shop", "")


def page_routes(*, demo: bool, folder: Path = FOLDER) -> list[BaseRoute]:
    """Routes for the application, after those of the API. `folder`: where the pages were built to."""
    sites = (*SITES, SHOP) if demo else SITES
    routes: list[BaseRoute] = [Route("/", _home, methods=["GET"])]
    for site in sites:
        routes.append(
            Route(f"{site.path}/{{file:path}}", _Serving(site, folder / site.folder).answer, methods=["GET"])
        )
        routes.append(Route(site.path, _with_slash, methods=["GET"]))
    return routes


def _home(_request: Request) -> Response:
    return RedirectResponse("/desk/", status_code=307)


def _with_slash(request: Request) -> Response:
    return RedirectResponse(f"{request.url.path}/", status_code=308)


class _Serving:
    """Answers for one site."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site = site
        self._folder = folder

    async def answer(self, request: Request) -> Response:
        """The file, that it has not changed, or why there is none."""
        path = self._path(str(request.path_params["file"]) or INDEX)
        if path is None:
            if self._folder.is_dir():
                return PlainTextResponse("There is nothing at this address.\n", 404)
            return PlainTextResponse(NOT_BUILT, 503)
        headers = {
            "Content-Security-Policy": self._policy(path),
            "Cache-Control": FOR_EVER if HASHED.search(path.name) else ASK,
        }
        if self._site.anywhere:
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        packed, coding = _packed(path, request.headers.get("accept-encoding", ""))
        if coding is not None:
            headers["Content-Encoding"] = coding
        if path.suffix in PACKED:
            headers["Vary"] = "Accept-Encoding"
        response = FileResponse(
            packed, headers=headers, stat_result=packed.stat(), media_type=guess_type(path.name)[0]
        )
        if request.headers.get("if-none-match") == response.headers["etag"]:
            return Response(status_code=304, headers={**headers, "ETag": response.headers["etag"]})
        return response

    def _path(self, name: str) -> Path | None:
        """The file of that name; None when there is none."""
        path = self._folder / name
        if _NAME.fullmatch(name) and path.is_file():
            return path
        # An address within a single page has no ending; what has one was meant as a file.
        index = self._folder / INDEX
        if self._site.single and "." not in name.rpartition("/")[2] and index.is_file():
            return index
        return None

    def _policy(self, path: Path) -> str:
        if self._site.policy:
            return self._site.policy
        # The demo shop embeds the widget as the documentation says: by a script in the page, named here by its hash.
        inline = _INLINE.findall(path.read_text(encoding="utf-8")) if path.suffix == ".html" else []
        hashes = " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
            for script in inline
        )
        return (
            f"default-src 'none'; script-src 'self' {hashes}; style-src 'self'; img-src 'self' data: blob:; "
            "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
        )


def _packed(path: Path, accepted: str) -> tuple[Path, str | None]:
    """What to send of a file, and its coding: as the build packed it if the browser takes that (RFC 9110 section
    12.5.3), else itself."""
    asked = [part.partition(";") for part in accepted.lower().replace(" ", "").split(",")]
    takes = {name for name, _, weight in asked if weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")}
    for coding, ending in CODINGS.items():
        packed = path.with_name(path.name + ending)
        # An older one is of another build.
        if coding in takes and packed.is_file() and packed.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            return packed, coding
    return path, None
