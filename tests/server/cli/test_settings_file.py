"""`pointsman settings`: a shop's configuration as a file, out and in, at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import Here

pytestmark = pytest.mark.req("KS-23")


def test_what_is_exported_is_imported_again_without_a_difference(shop: Here, tmp_path: Path) -> None:
    kept = tmp_path / "acme.yaml"
    shop.json("settings", "export", "acme", "--to", str(kept))
    assert "# Working together in one conversation.\ncollaboration:\n" in kept.read_text()
    again = shop.json("settings", "import", "acme", str(kept))
    assert (again["applied"], again["changes"]) == (True, [])


def test_it_is_looked_at_before_it_is_done(shop: Here, tmp_path: Path) -> None:
    file = tmp_path / "change.yaml"
    file.write_text("format: 1\ncollaboration:\n  watchers_max: 7\n")
    expected = [{"section": "collaboration", "place": "watchers_max", "before": 20, "after": 7}]
    shown = shop.json("settings", "import", "acme", str(file), "--dry-run")
    assert (shown["applied"], shown["changes"]) == (False, expected)
    done = shop.json("settings", "import", "acme", str(file))
    assert (done["applied"], done["changes"]) == (True, expected)
    assert shop.json("settings", "import", "acme", str(file))["changes"] == []


def test_faults_are_told_with_their_lines_and_nothing_changes(shop: Here, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("format: 1\ncollaboration:\n  watchers_max: 0\n")
    before = shop.json("settings", "export", "acme")
    refused = shop.run("settings", "import", "acme", str(file))
    assert refused.code == 1
    assert "line 3: collaboration.watchers_max" in refused.err
    assert shop.json("settings", "export", "acme") == before
