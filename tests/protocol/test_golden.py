"""The golden frames say what the reference client does; the web client is held to the same files."""

import pytest

from tests.protocol.golden import FOLDER, STORIES, as_file


@pytest.mark.parametrize("story", STORIES)
def test_what_a_client_knows_after_a_story_is_as_written(story: str) -> None:
    written = (FOLDER / f"{story}.json").read_bytes()
    assert written == as_file(story), "run: python -m tests.protocol.golden, and look at what changed"


def test_there_is_a_file_for_every_story_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(STORIES)
