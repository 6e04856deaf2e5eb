"""The table of proven requirements names every requirement, and refuses ids that do not exist."""

from __future__ import annotations

import pytest

from tests.catalogue import AREAS, CATALOGUE
from tests.coverage_doc import document


def test_every_requirement_has_a_row_with_its_tests() -> None:
    page = document({"KS-01": {"tests/b.py::two", "tests/a.py::one"}})
    assert "| `tests/a.py::one`<br>`tests/b.py::two` |" in page
    assert page.count("none yet") == len(CATALOGUE) - 1
    assert f"1 of {len(CATALOGUE)} requirements" in page


def test_every_id_belongs_to_an_area() -> None:
    assert {requirement.rstrip("0123456789-") for requirement in CATALOGUE} == set(AREAS)


def test_an_unknown_id_is_refused_with_the_test_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"KS-99.*tests/a\.py::one"):
        document({"KS-99": {"tests/a.py::one"}})
