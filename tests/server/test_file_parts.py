"""Settings of files: where the bytes go, and what is refused at the start of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.allowances import file_rules
from server.services.file_types import EVERY_KIND, FileKind
from server.settings import FILE_KINDS, SettingsError, load
from server.store.objects import Bucket
from server.storeys.file_parts import place_of

pytestmark = pytest.mark.req("CO-04")


def settings(**given: Any) -> Any:
    return load(database_url="postgresql://x/y", redis_url="redis://x", secret="s" * 32, **given)


def test_files_are_in_the_users_data_folder_unless_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("POINTSMAN_FILES", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert place_of(settings()) == tmp_path / "pointsman" / "files"
    monkeypatch.setenv("XDG_DATA_HOME", "relative: not heeded, by the XDG specification")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert place_of(settings()) == Path("/home/somebody/.local/share/pointsman/files")
    assert place_of(settings(files="/srv/files")) == Path("/srv/files")


def test_a_bucket_with_its_keys_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("very secret\n")
    monkeypatch.setenv("POINTSMAN_FILES_SECRET_FILE", str(tmp_path / "secret"))
    given = settings(
        files="s3://bucket/some/where/",
        files_endpoint="https://s3.example/",
        files_key="me",
        files_region="eu-1",
    )
    assert place_of(given) == Bucket(
        "bucket", "some/where", "https://s3.example", "eu-1", "me", "very secret"
    )
    assert "very secret" not in repr(given)


@pytest.mark.parametrize("at", ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"])
def test_open_text_is_for_loopback(at: str) -> None:
    place = place_of(settings(files="s3://b", files_endpoint=at))
    assert isinstance(place, Bucket)
    assert place.open_text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("files_endpoint", "http://s3.example"),
        ("files_endpoint", "http://127.0.0.1.example"),
        ("files_endpoint", "s3.example"),
        ("files", "s3://"),
        ("files", ""),
        ("file_kinds", "image,program"),
        ("file_kinds", ""),
        ("file_image_pixels", 10**9),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(**{name: value})
    assert [fault["field"] for fault in raised.value.faults] == [f"POINTSMAN_{name.upper()}"]


def test_the_server_may_take_less_than_there_is() -> None:
    assert file_rules(settings()).kinds == EVERY_KIND
    assert file_rules(settings(file_kinds="image, text")).kinds == {FileKind.IMAGE, FileKind.TEXT}
    assert set(FileKind) == FILE_KINDS
