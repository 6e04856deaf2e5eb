"""Reads a sheet of XLSX as its cells say it: strings as strings, numbers as numbers, formulas not at all."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree as Xml

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows_of(data: bytes) -> list[list[str | float | None]]:
    """Every row, the head first; a cell without anything is None."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheet = Xml.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    rows: list[list[str | float | None]] = []
    for row in sheet.iter(f"{_S}row"):
        cells: list[str | float | None] = []
        for cell in row.iter(f"{_S}c"):
            while len(cells) < _column(cell.attrib["r"]):
                cells.append(None)
            assert cell.find(f"{_S}f") is None, "a formula"
            inline, value = cell.find(f"{_S}is/{_S}t"), cell.find(f"{_S}v")
            if inline is not None:
                cells.append(inline.text or "")
            else:
                cells.append(None if value is None else float(value.text or ""))
        rows.append(cells)
    return rows


def _column(reference: str) -> int:
    n = 0
    for letter in reference.rstrip("0123456789"):
        n = n * 26 + ord(letter) - 64
    return n - 1
