"""The built pages as browsers get them: what may run in them, what is kept, and what is no page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from server.http.headers import SecurityHeaders
from server.http.pages import page_routes

SNIPPET = "window.pointsman = 1"
SHOP_PAGE = f'<!doctype html><title>Shop</title><script>{SNIPPET}</script><script src="shop.js"></script>'
FILES = {
    "desk/index.html": "<!doctype html><title>Desk</title>",
    "desk/assets/index-AbCd_1-x.js": "let desk",
    "widget/loader.js": "let loader",
    "widget/panel-AbCd_1-x.js": "let panel",
    "widget/preview/index.html": "<!doctype html><title>Preview</title>",
    "shop/index.html": SHOP_PAGE,
    "shop/shop.js": "let shop",
}

Browser = httpx.AsyncClient


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "secret.txt").write_text("a secret")
    (folder / "secret.txt").write_text("a secret")
    (folder / "desk" / ".env").write_text("a secret")
    return folder


def browser_at(folder: Path, *, demo: bool = True) -> Browser:
    app = Starlette(routes=page_routes(demo=demo, folder=folder), middleware=[Middleware(SecurityHeaders)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pointsman.test")


@pytest.fixture
async def browser(built: Path) -> AsyncIterator[Browser]:
    async with browser_at(built) as browser:
        yield browser


def rules(answer: httpx.Response) -> dict[str, str]:
    """The Content-Security-Policy by directive."""
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


async def test_the_door_leads_to_the_desk(browser: Browser) -> None:
    answer = await browser.get("/", follow_redirects=True)
    assert (answer.url.path, answer.status_code) == ("/desk/", 200)
    assert "Desk" in answer.text


@pytest.mark.parametrize("address", ["/desk/wall", "/desk/work/0190-abc", "/desk/link/abcDEF_-1"])
async def test_an_address_within_the_desk_is_the_desk(browser: Browser, address: str) -> None:
    answer = await browser.get(address)
    assert (answer.status_code, answer.text) == (200, FILES["desk/index.html"])


@pytest.mark.parametrize("address", ["/desk/assets/gone-AbCd_1-x.js", "/widget/nothing", "/shop/nothing"])
async def test_what_is_no_file_of_ours_is_not_there(browser: Browser, address: str) -> None:
    assert (await browser.get(address)).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/desk/../secret.txt",
        "/desk/%2e%2e/secret.txt",
        "/desk/..%2fsecret.txt",
        "/desk/..%2f..%2fsecret.txt",
        "/desk/%2fetc%2fpasswd",
        "/desk//etc/passwd",
        "/desk/.env",
        "/desk/assets/%00.js",
        "/widget/..%2fdesk%2findex.html",
        "/desk/" + "a" * 300 + ".js",
    ],
)
async def test_no_path_leads_out_of_the_folder(browser: Browser, address: str) -> None:
    # As a whole URL: the client would tidy a path that it is given.
    url = httpx.URL("http://pointsman.test").copy_with(raw_path=address.encode())
    answer = await browser.send(browser.build_request("GET", url))
    assert answer.status_code == 404 or answer.text == FILES["desk/index.html"]


async def test_the_desk_runs_no_script_but_ours_and_is_framed_by_nobody(browser: Browser) -> None:
    desk = rules(await browser.get("/desk/"))
    assert desk["default-src"] == "'none'"
    assert desk["script-src"] == "'self'", "no inline script, no eval, no other host"
    assert desk["connect-src"] == "'self'"
    assert desk["frame-ancestors"] == desk["base-uri"] == desk["object-src"] == "'none'"


async def test_only_the_desk_frames_the_preview_which_connects_to_nothing(browser: Browser) -> None:
    assert rules(await browser.get("/desk/"))["frame-src"] == "'self'"
    answer = await browser.get("/widget/preview/")
    assert answer.text == FILES["widget/preview/index.html"]
    preview = rules(answer)
    assert (preview["default-src"], preview["script-src"]) == ("'none'", "'self'")
    assert preview["frame-ancestors"] == "'self'"
    assert "connect-src" not in preview, "as `default-src`: nowhere"
    assert "access-control-allow-origin" not in answer.headers, "no other origin reads it"


async def test_the_shop_page_runs_its_snippet_and_no_other_inline_script(browser: Browser) -> None:
    shop = rules(await browser.get("/shop/"))
    digest = base64.b64encode(hashlib.sha256(SNIPPET.encode()).digest()).decode()
    assert shop["script-src"].split() == ["'self'", f"'sha256-{digest}'"]
    assert shop["style-src"] == "'self'"


async def test_a_name_made_from_the_content_is_kept_for_ever(browser: Browser) -> None:
    for address in ("/desk/assets/index-AbCd_1-x.js", "/widget/panel-AbCd_1-x.js"):
        assert "immutable" in (await browser.get(address)).headers["cache-control"]


@pytest.mark.parametrize("address", ["/desk/", "/desk/wall", "/widget/loader.js", "/shop/"])
async def test_any_other_file_is_asked_for_again_and_not_sent_twice(browser: Browser, address: str) -> None:
    first = await browser.get(address)
    assert first.headers["cache-control"] == "no-cache"
    again = await browser.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_new_build_is_sent(browser: Browser, built: Path) -> None:
    first = await browser.get("/desk/")
    (built / "desk/index.html").write_text("<!doctype html><title>A new desk</title>")
    again = await browser.get("/desk/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.text) == (200, "<!doctype html><title>A new desk</title>")


@pytest.fixture
def packed(built: Path) -> Path:
    """The loader as the build packs it, too."""
    loader = built / "widget/loader.js"
    (built / "widget/loader.js.gz").write_bytes(gzip.compress(loader.read_bytes()))
    (built / "widget/loader.js.br").write_bytes(b"as Brotli has it")
    return built


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR", "br"),
        ("identity", None),
        ("", None),
    ],
)
async def test_a_packed_file_is_sent_to_browsers_that_take_it(
    packed: Path, browser: Browser, accepted: str, coding: str | None
) -> None:
    async with browser.stream("GET", "/widget/loader.js", headers={"Accept-Encoding": accepted}) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
    ending = {"br": ".br", "gzip": ".gz", None: ""}[coding]
    assert sent == (packed / f"widget/loader.js{ending}").read_bytes()
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    asked_again = {"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]}
    assert (await browser.get("/widget/loader.js", headers=asked_again)).status_code == 304


async def test_what_an_earlier_build_packed_is_not_sent(packed: Path, browser: Browser) -> None:
    loader = packed / "widget/loader.js"
    loader.write_text("let another")
    later = (packed / "widget/loader.js.gz").stat().st_mtime_ns + 1_000_000
    os.utime(loader, ns=(later, later))
    answer = await browser.get("/widget/loader.js", headers={"Accept-Encoding": "gzip"})
    assert (answer.text, answer.headers.get("content-encoding")) == ("let another", None)


async def test_pages_of_other_origins_may_load_the_widget_and_nothing_else(browser: Browser) -> None:
    for address in ("/widget/loader.js", "/widget/panel-AbCd_1-x.js"):
        answer = await browser.get(address, headers={"Origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["content-type"].startswith("text/javascript")
    for address in ("/desk/", "/shop/"):
        answer = await browser.get(address, headers={"Origin": "https://shop.example"})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("address", ["/desk/", "/desk/wall", "/widget/loader.js", "/shop/"])
async def test_without_a_build_every_page_says_how_to_make_one(tmp_path: Path, address: str) -> None:
    async with browser_at(tmp_path / "nothing") as browser:
        answer = await browser.get(address)
        assert answer.status_code == 503
        assert "make web" in answer.text


async def test_the_shop_page_is_there_in_demo_mode_only(built: Path) -> None:
    async with browser_at(built, demo=False) as browser:
        assert (await browser.get("/shop/")).status_code == 404
        assert (await browser.get("/desk/")).status_code == 200


@pytest.mark.parametrize("site", ["desk", "widget", "shop"])
async def test_a_forgotten_slash_is_put_right(browser: Browser, site: str) -> None:
    answer = await browser.get(f"/{site}")
    assert (answer.status_code, answer.headers["location"]) == (308, f"/{site}/")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_pages_are_only_read(browser: Browser, method: str) -> None:
    assert (await browser.request(method, "/desk/")).status_code == 405
