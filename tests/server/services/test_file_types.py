"""Names of files that can be shown and saved anywhere, and the closed list of what is taken."""

from __future__ import annotations

import pytest

from protocol.errors import RequestError
from server.services.file_types import EVERY_KIND, TYPES, FileKind, safe_name, type_of

pytestmark = pytest.mark.req("CO-04")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("报告 书.PDF", "报告 书.PDF"),
        ("/etc/passwd.txt", "passwd.txt"),
        ("..\\..\\windows\\a.log", "a.log"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie_ x.txt"),
        ("nul\x00.txt", "nul.txt"),
        ("  .. .pdf", "pdf"),
        ("con<>:|?*.png", "con______.png"),
        ("trailing.pdf. . ", "trailing.pdf"),
        ("..", "file"),
        ("\u200b", "file"),
        ("noextension", "noextension"),
    ],
)
def test_a_name_keeps_its_letters_and_nothing_that_deceives(said: str, kept: str) -> None:
    assert safe_name(said) == kept


@pytest.mark.parametrize("said", ["字" * 255 + ".png", "a." + "b" * 250, "." * 255])
def test_a_name_is_short(said: str) -> None:
    assert 1 <= len(safe_name(said)) <= 120


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("a" * 251 + ".png").endswith("aa.png")


@pytest.mark.parametrize(
    "name",
    [
        "a.html",
        "a.htm",
        "a.svg",
        "a.xhtml",
        "a.js",
        "a.exe",
        "a.msi",
        "a.bat",
        "a.sh",
        "a.docm",
        "a.jpg.lnk",
        "a",
    ],
)
def test_what_a_browser_or_a_shell_would_run_is_taken_from_nobody(name: str) -> None:
    with pytest.raises(RequestError) as raised:
        type_of(name, EVERY_KIND)
    assert raised.value.reason == "type_not_allowed"


def test_the_refusal_says_what_is_taken() -> None:
    with pytest.raises(RequestError) as raised:
        type_of("a.pdf", frozenset({FileKind.IMAGE}))
    assert raised.value.message == "Files `.pdf` are not taken here. Taken are: gif, jpg, png, webp."


def test_every_type_is_known_by_each_of_its_extensions() -> None:
    for each in TYPES:
        for extension in each.extensions:
            assert type_of(f"x.{extension.upper()}", EVERY_KIND) is each


def test_nothing_in_the_list_is_run_by_a_browser() -> None:
    active = {
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xml",
        "application/xml",
        "text/javascript",
    }
    assert not active & {each.media_type for each in TYPES}
